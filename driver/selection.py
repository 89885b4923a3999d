"""Chooses what is measured: by names, by lists of sizes, by who stands for a family. A name that does not exist is answered with what does."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Mapping, Sequence, Set

from driver.cells import REFERENCE, REPRESENTATIVE, VARIANT, Cell
from driver.pace import EXHAUSTIVE, MOST_CELLS, QUICK, SECOND, Variants
from driver.plan import by_case
from driver.problem import Exit, Problem
from driver.twins import MOST_TWINS
from reports.representatives import BASELINE, Member, competing, passed_over, textbook_of


def split_names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def check_names(kind: str, wanted: Sequence[str], existing: Iterable[str]) -> None:
    names = sorted(existing)
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise Problem(f"there is no {kind} {name}{hint}; there are: {', '.join(names) or 'none'}", Exit.USAGE)


def check_workloads(wanted: Sequence[str], known: Sequence[str], offered: Iterable[str]) -> None:
    """`known`: of the suite; `offered`: by the chosen models."""
    there = set(offered)
    if missing := [name for name in wanted if name not in there and name in known]:
        raise Problem(f"no chosen model has the workload {missing[0]}: scripts/crossover list shows which has what", Exit.NOTHING_MATCHED)
    check_names("workload", wanted, there)


def matching(offered: Sequence[Cell], patterns: Sequence[str], workloads: Sequence[str]) -> list[Cell]:
    """Those of the named workloads, or of all if none is named, whose ids any of the patterns of a shell names."""
    found = {}
    cells = [cell for cell in offered if not workloads or cell.case.workload in workloads]
    for pattern in patterns:
        matched = [cell for cell in cells if fnmatch.fnmatchcase(cell.id, pattern)]
        if not matched:
            near = difflib.get_close_matches(pattern, (cell.id for cell in cells), 2, 0.5)
            hint = f" (near it: {', '.join(near)})" if near else ""
            of = f" of {', '.join(workloads)}" if workloads else ""
            raise Problem(f"--cells {pattern} matches no cell{of}{hint}: ids are written as in run.json, * stands for any part", Exit.NOTHING_MATCHED)
        found.update({cell.id: cell for cell in matched})
    return list(found.values())


def select(cells: Sequence[Cell], members: Sequence[Member], size: str, workloads: Sequence[str], variants: Variants, front: Sequence[str] = ()) -> list[Cell]:
    """The cells of one list of sizes, ranked, in the order in which they are to be calibrated.

    Models that compete come first, case by case, so that a run which is short of time has all of some cases: what quick has before the
    rest, and small sizes before large ones, so that they can project the large ones. The models in `front` are measured in every case.
    """
    chosen = [cell for cell in cells if (size == EXHAUSTIVE.name or size in cell.sizes) and (not workloads or cell.case.workload in workloads)]
    if not chosen:
        named = f" of {', '.join(workloads)}" if workloads else ""
        raise Problem(f"no cell{named} stands in the {size} list: see scripts/crossover list", Exit.NOTHING_MATCHED)
    if all(cell.status == "unsupported" for cell in chosen):
        first = chosen[0]
        raise Problem(f"no chosen model supports any chosen workload: {first.model}: {first.reason}", Exit.NOTHING_MATCHED)
    cases = by_case(chosen)
    for models in cases.values():
        _rank(models, members)
    pairs = _paired(cases, members) if variants != Variants.NONE else set()
    claimed = _claimed(chosen, members) if variants == Variants.ONE_CASE else set()
    kept = claimed | _textbooks(cases, members) | pairs if variants == Variants.ONE_CASE else set()
    kept |= {cell.id for cell in chosen if cell.model in front}
    for cell in chosen:
        cell.claimed, cell.in_front = cell.id in claimed, cell.model in front
        if cell.id in kept and cell.rank == VARIANT:  # left out after all that is only shown
            cell.rank = REFERENCE
        cell.shown_only = variants == Variants.ONE_CASE and cell.rank == VARIANT
    wide = _with_all_models(cases, variants, kept)
    chosen = [cell for name, models in cases.items() for cell in _measured(models, members, name in wide, kept, variants)]
    sizes = {name: max((cell.scheduled * (cell.bound_ns or 1), cell.units) for cell in models) for name, models in cases.items()}
    return sorted(chosen, key=lambda cell: (cell.rank, QUICK.name not in cell.sizes, sizes[cell.case.name], cell.case.name))


def _textbooks(cases: Mapping[str, Sequence[Cell]], members: Sequence[Member]) -> set[str]:
    """The ids of the cells that show how far textbooks are from the best: of each workload in that case which quick has, or the first."""
    textbooks = {member.id for member in members if member.textbook}
    first: dict[str, Sequence[Cell]] = {}
    for models in sorted(cases.values(), key=lambda models: QUICK.name not in models[0].sizes):
        first.setdefault(models[0].case.workload, models)
    return {cell.id for models in first.values() for cell in models if cell.model in textbooks}


def _with_all_models(cases: Mapping[str, Sequence[Cell]], variants: Variants, kept: Set[str]) -> set[str]:
    """The names of the cases that are measured on all models, beside those that are anyway. One of each workload: that which quick has, or the
    first; where memory decides, every one, as it takes few rounds. There is only room for MOST_CELLS: memory comes first, then
    workloads that quick has, and of them coordination, which takes each model apart, and then those that most models can do, where the peers in CPython show what is theirs and what is the model's."""
    if variants != Variants.ONE_CASE:
        return set(cases) if variants == Variants.ALL else set()

    def further(models: Sequence[Cell]) -> int:
        return sum(cell.status != "unsupported" and cell.rank == VARIANT and cell.id not in kept for cell in models)

    supported = sum(len(_able(models)) for models in cases.values())
    room = MOST_CELLS - MOST_TWINS - (supported - sum(map(further, cases.values())))
    found: set[str] = set()
    workloads: set[str] = set()

    def place(case: tuple[str, Sequence[Cell]]) -> tuple[bool, bool, bool, int]:
        first = case[1][0]
        return first.case.kind != "memory", QUICK.name not in first.sizes, first.case.kind != "coordination", -len(_able(case[1]))

    for name, models in sorted(cases.items(), key=place):
        if (models[0].case.workload not in workloads or models[0].case.kind == "memory") and further(models) <= room:
            room -= further(models)
            found.add(name)
            workloads.add(models[0].case.workload)
    return found


def _claimed(cells: Sequence[Cell], members: Sequence[Member]) -> set[str]:
    """The ids of those by which the report judges what the tutorials say."""
    from reports.claims import points  # needs numpy, which scripts/setup brings

    wanted = points(textbook_of(members))
    return {
        cell.id
        for cell in cells
        if any(point.model == cell.model and point.workload == cell.case.workload and point.params.items() <= cell.case.params.items() for point in wanted)
    }


def _rank(models: Sequence[Cell], members: Sequence[Member]) -> None:
    first = competing(members, models[0].case.kind, _able(models))
    for cell in models:
        cell.rank = REPRESENTATIVE if cell.model in first else REFERENCE if cell.model == BASELINE else VARIANT


def _paired(cases: Mapping[str, Sequence[Cell]], members: Sequence[Member]) -> set[str]:
    """The ids of the native twins and of the models that they are the twins of, which it marks, and of twins that say why there is none."""
    of = {member.id: member.native_of for member in members if member.native_of}
    found = set()
    for models in cases.values():
        able = {cell.model: cell for cell in models if cell.status != "unsupported"}
        for twin in (cell for cell in models if cell.model in of):
            own = able.get(of[twin.model])
            if twin.model not in able:
                found.add(twin.id)
            elif own is not None:
                twin.paired = own.paired = True
                found |= {twin.id, own.id}
    return found


def _measured(models: Sequence[Cell], members: Sequence[Member], all_models: bool, kept: Set[str], variants: Variants) -> list[Cell]:
    """The cells of one case that are measured, and those that show why their model is not."""
    before = passed_over(members, models[0].case.kind, _able(models))
    only_peers = variants == Variants.ONE_CASE and _is_dear(models[0])
    beside = {member.id for member in members if (member.family == "peer" or not only_peers) and not (member.native_of and variants == Variants.ONE_CASE)}
    return [cell for cell in models if (all_models and cell.model in beside) or cell.rank != VARIANT or cell.model in before or cell.id in kept]


def _is_dear(cell: Cell) -> bool:
    """Of a case whose every iteration takes a second: a family's variants hold about what its representative holds."""
    return cell.case.kind == "memory" and (cell.bound_ns or 0) >= SECOND


def _able(models: Sequence[Cell]) -> set[str]:
    return {cell.model for cell in models if cell.status != "unsupported"}

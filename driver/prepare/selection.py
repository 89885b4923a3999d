"""From what was asked for to the cells of a run: opens the processes, and chooses among the cells that they offer, by
names, sizes, patterns and representatives."""

from __future__ import annotations

import difflib
import fnmatch
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace

from driver.names import check_names
from driver.prepare import build
from driver.prepare.aa_control import AA_CONTROLS, MOST_AA_CONTROLS, aa_controls_of
from driver.prepare.request import Request, Size
from driver.problem import Exit, Problem
from driver.session.cells import (
    LOADS,
    REFERENCE,
    REPRESENTATIVE,
    VARIANT,
    Case,
    Cell,
    Event,
    Malformed,
    by_case,
    cells_of_row,
)
from driver.session.preset import EXHAUSTIVE, MOST_CELLS, QUICK, SECOND, Variants
from driver.session.processes import Processes
from vocabulary.representatives import BASELINE, Member, competing, passed_over, textbook_of

# model → its textbook: measurements, each as model, workload and some params
Tested = Callable[[Mapping[str, str]], Iterable[tuple[str, str, Mapping[str, int]]]]


def nothing_tested(_: Mapping[str, str]) -> Iterable[tuple[str, str, Mapping[str, int]]]:
    """Where no claim is to be judged."""
    return ()


def cells_of_run(request: Request, processes: Processes, tested: Tested) -> tuple[list[Event], list[Cell]]:
    """The events of the models that are measured, and their cells, those of the A/A control among them. `tested`: see
    select()."""
    openings, _, cells = choose(request, processes, request.preset.variants, tested=tested)
    cells = [
        replace(cell, named=bool(request.models or request.workloads or request.sizes or request.cells))
        for cell in cells
    ]
    request.front.check_chosen({cell.model for cell in cells if cell.state.status != "unsupported"})
    openings = processes.keep(openings, {cell.model for cell in cells})
    # In quick only where there is time left for it.
    control = aa_controls_of(cells, VARIANT if request.preset.variants == Variants.NONE else REPRESENTATIVE)
    openings += processes.add_aa_controls(
        {
            AA_CONTROLS[model]: model
            for model in AA_CONTROLS
            if any(cell.model == AA_CONTROLS[model] for cell in control)
        },
        openings,
    )
    return openings, sorted(cells + control, key=lambda cell: cell.rank)


def choose(
    request: Request,
    processes: Processes,
    usual: Variants,
    is_own: Callable[[str], bool] = lambda model: True,
    tested: Tested = nothing_tested,
) -> tuple[list[Event], list[Cell], list[Cell]]:
    """Opens the processes: their model events, all cells that they offer, and those that were asked for of the own
    models. `usual`: the variants where neither models nor cells are named."""
    listed = EXHAUSTIVE.name if request.sizes or request.cells else request.preset.name
    openings, offered = processes.open(None if listed == EXHAUSTIVE.name else listed)
    check_workloads(request.workloads, build.all_workloads(), processes.offered)
    if request.sizes:
        openings, offered = described(processes, openings, request.workloads, request.sizes)
    own = [cell for cell in offered if is_own(cell.model)]
    if request.cells:
        own = matching(own, request.cells, request.workloads)
    variants = Variants.ALL if request.models or request.cells else usual
    members = _members([event for event in openings if is_own(event["model"])])
    return openings, offered, select(own, members, listed, request.workloads, variants, request.front.models, tested)


def _members(openings: Sequence[Event]) -> list[Member]:
    hellos = {event["model"]: event["hello"] for event in openings if event.get("hello")}
    return [
        Member(
            model,
            hello["family"],
            hello["variant_of"],
            hello.get("engineering") == "textbook",
            hello.get("native_of", ""),
        )
        for model, hello in hellos.items()
    ]


def described(
    processes: Processes, openings: Sequence[Event], workloads: Sequence[str], sizes: Sequence[Size]
) -> tuple[list[Event], list[Cell]]:
    """The model events, and the cells at these sizes of all models that have the workloads. A model that cannot be
    asked for a size is left out, with the reason."""
    for workload in workloads:
        row = next(iter(processes.offered[workload].values()))
        for size in sizes:
            _check(workload, row, size)
    known: dict[tuple[str, str], Case] = {}
    cells: list[Cell] = []
    refusals: dict[str, str] = {}
    faults: dict[str, str] = {}
    for model in sorted({model for workload in workloads for model in processes.offered[workload]}):
        own: list[Cell] = []
        for workload in (workload for workload in workloads if model in processes.offered[workload]):
            for size in sizes:
                answer = processes.describe(model, workload, size)
                try:
                    if answer.outcome == "ok":
                        own += cells_of_row(answer.body["cell"], known, model)
                    elif answer.outcome == "usage":
                        refusals.setdefault(model, answer.reason)
                    else:
                        faults.setdefault(model, answer.reason)
                except Malformed as malformed:
                    faults.setdefault(model, f"its description of a cell does not conform to the protocol: {malformed}")
        if model not in refusals and model not in faults:
            cells += {cell.id: cell for cell in own}.values()  # two sizes may come to the same
    if refusals and not cells and not faults:
        raise Problem(f"--size: {Counter(refusals.values()).most_common(1)[0][0]}", Exit.USAGE)
    return [_event(event, refusals, faults) for event in openings], cells


def _check(workload: str, row: Event, size: Size) -> None:
    check_names(f"param of {workload}", list(size), row["params"])
    if (paced_by := row.get("paced_by")) in size:
        raise Problem(
            (
                f"--size: {paced_by} of {workload} cannot be chosen: a run uses {', '.join(map(str, LOADS))} % of what"
                " the slowest model can serve"
            ),
            Exit.USAGE,
        )


def _event(event: Event, refusals: Mapping[str, str], faults: Mapping[str, str]) -> Event:
    """Of a model that is left out with the reason, else as it is."""
    if event["event"] == "model" and event["model"] in faults:
        return {**event, "status": "failed", "reason": faults[event["model"]], "hello": {}}
    if event["event"] == "model" and event["model"] in refusals:
        return {**event, "status": "unsupported", "reason": "has the sizes of its list only", "hello": {}}
    return event


def check_workloads(wanted: Sequence[str], known: Sequence[str], offered: Iterable[str]) -> None:
    """`known`: of the suite; `offered`: by the chosen models."""
    there = set(offered)
    if missing := [name for name in wanted if name not in there and name in known]:
        raise Problem(
            f"no chosen model has the workload {missing[0]}: scripts/crossover list shows which has what",
            Exit.NOTHING_MATCHED,
        )
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
            raise Problem(
                f"--cells {pattern} matches no cell{of}{hint}: ids are written as in run.json, * stands for any part",
                Exit.NOTHING_MATCHED,
            )
        found.update({cell.id: cell for cell in matched})
    return list(found.values())


def select(
    cells: Sequence[Cell],
    members: Sequence[Member],
    size: str,
    workloads: Sequence[str],
    variants: Variants,
    front: Sequence[str] = (),
    tested: Tested = nothing_tested,
) -> list[Cell]:
    """The cells of one list of sizes, ranked, in the order in which they are to be calibrated.

    Models that compete come first, case by case, so that a run which is short of time has all of some cases: what quick
    has before the rest, and small sizes before large ones, so that they can project the large ones. The models in
    `front` are measured in every case. `tested`: what the report wants to judge, which is measured beside what
    competes.
    """
    chosen = [
        cell
        for cell in cells
        if (size == EXHAUSTIVE.name or size in cell.sizes) and (not workloads or cell.case.workload in workloads)
    ]
    if not chosen:
        named = f" of {', '.join(workloads)}" if workloads else ""
        raise Problem(f"no cell{named} stands in the {size} list: see scripts/crossover list", Exit.NOTHING_MATCHED)
    if all(cell.state.status == "unsupported" for cell in chosen):
        first = chosen[0]
        raise Problem(
            f"no chosen model supports any chosen workload: {first.model}: {first.state.reason}", Exit.NOTHING_MATCHED
        )
    cases = {name: _ranked(models, members) for name, models in by_case(chosen).items()}
    paired, lonely = _native_pairs(cases, members) if variants != Variants.NONE else (set(), set())
    claimed = _claimed(chosen, members, tested) if variants == Variants.ONE_CASE else set()
    kept = claimed | _textbooks(cases, members) | paired | lonely if variants == Variants.ONE_CASE else set()
    kept |= {cell.id for cell in chosen if cell.model in front}

    def marked(cell: Cell) -> Cell:
        # left out after all that is only shown
        rank = REFERENCE if cell.id in kept and cell.rank == VARIANT else cell.rank
        shown_only = variants == Variants.ONE_CASE and rank == VARIANT
        return replace(
            cell,
            rank=rank,
            claimed=cell.id in claimed,
            paired=cell.id in paired,
            in_front=cell.model in front,
            shown_only=shown_only,
        )

    cases = {name: [marked(cell) for cell in models] for name, models in cases.items()}
    wide = _with_all_models(cases, variants, kept)
    chosen = [
        cell for name, models in cases.items() for cell in _measured(models, members, name in wide, kept, variants)
    ]
    sizes = {
        name: max((cell.scheduled * (cell.bound_ns or 1), cell.units) for cell in models)
        for name, models in cases.items()
    }
    return sorted(
        chosen, key=lambda cell: (cell.rank, QUICK.name not in cell.sizes, sizes[cell.case.name], cell.case.name)
    )


def _textbooks(cases: Mapping[str, Sequence[Cell]], members: Sequence[Member]) -> set[str]:
    """The ids of the cells that show how far textbooks are from the best: of each workload in that case which quick
    has, or the first."""
    textbooks = {member.id for member in members if member.textbook}
    first: dict[str, Sequence[Cell]] = {}
    for models in sorted(cases.values(), key=lambda models: QUICK.name not in models[0].sizes):
        first.setdefault(models[0].case.workload, models)
    return {cell.id for models in first.values() for cell in models if cell.model in textbooks}


def _with_all_models(cases: Mapping[str, Sequence[Cell]], variants: Variants, kept: Set[str]) -> set[str]:
    """The names of the cases that are measured on all models, beside those that are anyway. One of each workload: that
    which quick has, or the first; where memory decides, every one, as it takes few rounds. There is only room for
    MOST_CELLS: memory comes first, then workloads that quick has, and of them coordination, which takes each model
    apart, and then those that most models can do, where the peers in CPython show what is theirs and what is the
    model's."""
    if variants != Variants.ONE_CASE:
        return set(cases) if variants == Variants.ALL else set()

    def further(models: Sequence[Cell]) -> int:
        return sum(
            cell.state.status != "unsupported" and cell.rank == VARIANT and cell.id not in kept for cell in models
        )

    supported = sum(len(_able(models)) for models in cases.values())
    room = MOST_CELLS - MOST_AA_CONTROLS - (supported - sum(map(further, cases.values())))
    found: set[str] = set()
    workloads: set[str] = set()

    def place(case: tuple[str, Sequence[Cell]]) -> tuple[bool, bool, bool, int]:
        first = case[1][0]
        return (
            first.case.kind != "memory",
            QUICK.name not in first.sizes,
            first.case.kind != "coordination",
            -len(_able(case[1])),
        )

    for name, models in sorted(cases.items(), key=place):
        if (models[0].case.workload not in workloads or models[0].case.kind == "memory") and further(models) <= room:
            room -= further(models)
            found.add(name)
            workloads.add(models[0].case.workload)
    return found


def _claimed(cells: Sequence[Cell], members: Sequence[Member], tested: Tested) -> set[str]:
    """The ids of those by which the report judges what the tutorials say."""
    wanted = tested(textbook_of(members))
    return {
        cell.id
        for cell in cells
        if any(
            model == cell.model and workload == cell.case.workload and params.items() <= cell.case.params.items()
            for model, workload, params in wanted
        )
    }


def _ranked(models: Sequence[Cell], members: Sequence[Member]) -> list[Cell]:
    first = competing(members, models[0].case.kind, _able(models))
    return [
        replace(cell, rank=REPRESENTATIVE if cell.model in first else REFERENCE if cell.model == BASELINE else VARIANT)
        for cell in models
    ]


def _native_pairs(cases: Mapping[str, Sequence[Cell]], members: Sequence[Member]) -> tuple[set[str], set[str]]:
    """The ids of the native twins and of the models that they are the twins of, and of twins that say why there is
    none."""
    of = {member.id: member.native_of for member in members if member.native_of}
    paired, lonely = set(), set()
    for models in cases.values():
        able = {cell.model: cell for cell in models if cell.state.status != "unsupported"}
        for twin in (cell for cell in models if cell.model in of):
            own = able.get(of[twin.model])
            if twin.model not in able:
                lonely.add(twin.id)
            elif own is not None:
                paired |= {twin.id, own.id}
    return paired, lonely


def _measured(
    models: Sequence[Cell], members: Sequence[Member], all_models: bool, kept: Set[str], variants: Variants
) -> list[Cell]:
    """The cells of one case that are measured, and those that show why their model is not."""
    before = passed_over(members, models[0].case.kind, _able(models))
    only_peers = variants == Variants.ONE_CASE and _is_dear(models[0])
    beside = {
        member.id
        for member in members
        if (member.family == "peer" or not only_peers) and not (member.native_of and variants == Variants.ONE_CASE)
    }
    return [
        cell
        for cell in models
        if (all_models and cell.model in beside) or cell.rank != VARIANT or cell.model in before or cell.id in kept
    ]


def _is_dear(cell: Cell) -> bool:
    """Of a case whose every iteration takes a second: a family's variants hold about what its representative holds."""
    return cell.case.kind == "memory" and (cell.bound_ns or 0) >= SECOND


def _able(models: Sequence[Cell]) -> set[str]:
    return {cell.model for cell in models if cell.state.status != "unsupported"}

"""Chooses what is measured: by names, by lists of sizes, by who stands for a family. A name that does not exist is answered with what does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence, Set

from driver.cells import Case, Cell
from driver.pace import EXHAUSTIVE, QUICK, Variants
from driver.plan import by_case
from driver.problem import Exit, Problem
from reports.representatives import BASELINE, Member, competing, passed_over

REPRESENTATIVE, REFERENCE, VARIANT = range(3)  # ranks: the last ones go first when time is short


def split_names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def check_names(kind: str, wanted: Sequence[str], existing: Iterable[str]) -> None:
    names = sorted(existing)
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise Problem(f"there is no {kind} {name}{hint}; there are: {', '.join(names) or 'none'}", Exit.USAGE)


def select(cells: Sequence[Cell], members: Sequence[Member], size: str, workloads: Sequence[str], variants: Variants) -> list[Cell]:
    """The cells of one list of sizes, ranked, in the order in which they are to be calibrated.

    Models that compete come first and one after the other, so that a run which is short of time has some of every case, not all of a few;
    of each the small cases before the large ones, so that they can project the large ones.
    """
    check_names("workload", workloads, {cell.case.workload for cell in cells})
    chosen = [cell for cell in cells if (size == EXHAUSTIVE.name or size in cell.sizes) and (not workloads or cell.case.workload in workloads)]
    if not chosen:
        named = f" of {', '.join(workloads)}" if workloads else ""
        raise Problem(f"no cell{named} stands in the {size} list: see scripts/crossover list", Exit.NOTHING_MATCHED)
    if all(cell.status == "unsupported" for cell in chosen):
        first = chosen[0]
        raise Problem(f"no chosen model supports any chosen workload: {first.model}: {first.reason}", Exit.NOTHING_MATCHED)
    typical = _typical(chosen)
    claimed = _claimed(chosen) if variants == Variants.ONE_CASE else set()
    chosen = [
        cell
        for name, models in by_case(chosen).items()
        for cell in _ranked(models, members, variants == Variants.ALL or (variants == Variants.ONE_CASE and name in typical), claimed)
    ]
    names = list(dict.fromkeys(cell.model for cell in cells))
    return sorted(chosen, key=lambda cell: (cell.rank, names.index(cell.model), cell.scheduled * (cell.bound_ns or 1), cell.units, cell.case.name))


def _typical(cells: Sequence[Cell]) -> set[str]:
    """One case of each workload: the first that quick has, or the first."""
    found: dict[str, Case] = {}
    for cell in sorted(cells, key=lambda cell: QUICK.name not in cell.sizes):
        found.setdefault(cell.case.workload, cell.case)
    return {case.name for case in found.values()}


def _claimed(cells: Sequence[Cell]) -> set[str]:
    """The ids of those by which the report judges what the tutorials say."""
    from reports.claims import points  # needs numpy, which scripts/setup brings

    wanted = points()
    return {
        cell.id
        for cell in cells
        if any(point.model == cell.model and point.workload == cell.case.workload and point.params.items() <= cell.case.params.items() for point in wanted)
    }


def _ranked(models: Sequence[Cell], members: Sequence[Member], all_models: bool, claimed: Set[str]) -> list[Cell]:
    """The cells of one case that are measured, and those that show why their model is not."""
    kind = models[0].case.kind
    supported = {cell.model for cell in models if cell.status != "unsupported"}
    first, before = competing(members, kind, supported), passed_over(members, kind, supported)
    for cell in models:
        cell.rank = REPRESENTATIVE if cell.model in first else REFERENCE if cell.model == BASELINE else VARIANT
    return [cell for cell in models if all_models or cell.rank != VARIANT or cell.model in before or cell.id in claimed]

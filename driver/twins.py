"""The A/A control: models that run a second time in a process of their own. What tells a model from its twin would tell any two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from driver.cells import CLASSES, Cell
from driver.pace import LEAST_ROUNDS

TWINS = {model: f"{model}_twin" for model in ("event_loop", "thread_pool")}
MOST_TWINS = len(CLASSES) * len(TWINS)


def twins_of(cells: Sequence[Cell], rank: int) -> list[Cell]:
    """The smallest case of each class once more on the twin of every model that has one."""
    chosen: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        if cell.model in TWINS and cell.status != "unsupported":
            smallest = chosen.setdefault((cell.model, cell.case.kind), cell)
            if (cell.bound_ns or 0, cell.units) < (smallest.bound_ns or 0, smallest.units):
                chosen[cell.model, cell.case.kind] = cell
    return [replace(cell, model=TWINS[cell.model], rank=rank, failures=[], samples=[]) for cell in chosen.values()]


def floor(cells: Sequence[Cell]) -> float | None:
    """The largest difference in time that this run has seen between a model and its twin, as a share: the median of the ratios within rounds.
    None without twins that share the least rounds: what was stopped early says nothing of what verdicts are made of.
    """
    times = {(cell.case.name, cell.model): {s["round"]: s["wall_ns"] / s["iterations"] for s in cell.samples} for cell in cells}
    seen = []
    for (case, model), own in times.items():
        other = times.get((case, TWINS.get(model, "")), {})
        ratios = [other[number] / own[number] for number in own.keys() & other.keys()]
        if len(ratios) >= LEAST_ROUNDS:
            seen.append(abs(median(ratios) - 1))
    return round(max(seen), 4) if seen else None

"""The A/A control: models that run a second time in a process of their own. What tells a model from its twin would tell any two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from driver.cells import CLASSES, Cell

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
    """The largest difference that this run has seen between the median times of a model and its twin, as a share; None without twins."""
    middle = {(cell.case.name, cell.model): median(s["wall_ns"] / s["iterations"] for s in cell.samples) for cell in cells if cell.samples}
    seen = [abs(middle[case, twin] / value - 1) for (case, model), value in middle.items() if (twin := TWINS.get(model, "")) and (case, twin) in middle]
    return round(max(seen), 4) if seen else None

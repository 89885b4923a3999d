"""The A/A control: models that run a second time in a process of their own. What tells a model from its twin would tell any two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from driver.cells import CLASSES, Cell
from driver.checks import outcome

TWINS = {model: f"{model}_twin" for model in ("event_loop", "thread_pool")}
_COMPARED = (("wall_ns",), ("cpu_user_ns", "cpu_sys_ns"))  # time and CPU cost
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
    """The noise floor as the report has it, see reports/control.py; None without twins that share the least rounds."""
    from reports import control, statistics  # needs numpy, which scripts/setup brings

    measured = {(cell.case.name, cell.model): cell for cell in cells if outcome(cell)[0] == "ok"}
    found = []
    for (case, model), own in measured.items():
        if twin := measured.get((case, TWINS.get(model, ""))):
            found += [statistics.pair(_by_round(twin, *keys), _by_round(own, *keys), {}) for keys in _COMPARED]
    return control.floor(bounds for bounds in found if bounds is not None)


def _by_round(cell: Cell, *keys: str) -> dict[int, float]:
    return {sample["round"]: max(sum(sample[key] for key in keys) / sample["iterations"], 1.0) for sample in cell.samples}

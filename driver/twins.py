"""The A/A control: models that run a second time in a process of their own. What tells a model from its twin would tell any two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from driver.cells import CLASSES, Cell
from driver.checks import outcome
from reports.looks import looks_of

if TYPE_CHECKING:
    from reports import statistics

TWINS = {model: f"{model}_twin" for model in ("event_loop", "thread_pool")}
_COMPARED = {"time": ("wall_ns",), "cpu": ("cpu_user_ns", "cpu_sys_ns")}
MOST_TWINS = len(CLASSES) * len(TWINS)


def twins_of(cells: Sequence[Cell], rank: int) -> list[Cell]:
    """The smallest case of each class once more on the twin of every model that has one."""
    chosen: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        if cell.model in TWINS and cell.status != "unsupported":
            smallest = chosen.setdefault((cell.model, cell.case.kind), cell)
            if (cell.bound_ns or 0, cell.units) < (smallest.bound_ns or 0, smallest.units):
                chosen[cell.model, cell.case.kind] = cell
    return [replace(cell, model=TWINS[cell.model], rank=rank, in_front=False, failures=[], samples=[]) for cell in chosen.values()]


def floor(cells: Sequence[Cell]) -> float | None:
    """The noise floor as the report has it, see reports/control.py; None without twins that share the least rounds."""
    from reports import control, deciding  # needs numpy and scipy, which scripts/setup brings

    measured = {(cell.case.name, cell.model): cell for cell in cells if outcome(cell)[0] == "ok"}
    found = []
    for (case, model), own in measured.items():
        if twin := measured.get((case, TWINS.get(model, ""))):
            for metric, keys in _COMPARED.items():
                both = {cell.model: _series(cell, *keys) for cell in (own, twin)}
                verdict = deciding.decide(both, both.keys(), looks=looks_of(own.case.metric))
                found += [control.Pair(model, case, metric, verdict)] if verdict.kind != "none" else []
    return control.floor(pair.deviation for pair in found)


def _series(cell: Cell, *keys: str) -> statistics.Series:
    from reports import statistics

    values = {sample["round"]: max(sum(sample[key] for key in keys) / sample["iterations"], 1.0) for sample in cell.samples}
    return statistics.Series(values, {sample["round"]: sample["process"] for sample in cell.samples})

"""The A/A control: models that run a second time in a process of their own. A difference between the two would be a
false alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from driver.session.cells import Cell, CellState
from driver.session.checks import outcome
from verdicts import aa_control
from verdicts.statistics import Series
from vocabulary.sample import Sample, by_round
from vocabulary.terms import CLASSES

AA_CONTROLS = {model: f"{model}_twin" for model in ("event_loop", "thread_pool")}
MOST_AA_CONTROLS = len(CLASSES) * len(AA_CONTROLS)


def aa_controls_of(cells: Sequence[Cell], rank: int) -> list[Cell]:
    """The smallest case of each class once more on the control of every model that has one."""
    chosen: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        if cell.model in AA_CONTROLS and cell.state.status != "unsupported":
            smallest = chosen.setdefault((cell.model, cell.case.kind), cell)
            if (cell.bound_ns or 0, cell.units) < (smallest.bound_ns or 0, smallest.units):
                chosen[cell.model, cell.case.kind] = cell
    return [
        replace(cell, model=AA_CONTROLS[cell.model], rank=rank, in_front=False, state=CellState())
        for cell in chosen.values()
    ]


def floor(cells: Sequence[Cell]) -> float | None:
    """The noise floor of the run; None without controls that share the least rounds."""
    measured = {(cell.case.name, cell.model): cell for cell in cells if outcome(cell)[0] == "ok"}
    found: list[aa_control.Pair] = []
    for (case, model), own in measured.items():
        if control := measured.get((case, AA_CONTROLS.get(model, ""))):
            both = own, control
            found += aa_control.compared(
                model, case, own.case.metric, lambda metric: [_series(cell, metric) for cell in both]
            )
    return aa_control.floor(pair.deviation for pair in found)


def _series(cell: Cell, metric: str) -> Series:
    samples = [Sample.of(sample) for sample in cell.state.samples]
    return Series(
        by_round(metric, samples, processes=1, paced=False), {sample.round: sample.process for sample in samples}
    )

"""The mixed cases of a run as evidence for advice: their sizes, the measured models, and what else is known of
these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from reports.analysis.surface import NEAR_RATIO, Work
from reports.cases.cases import Analysis, Case
from reports.cases.run import Cell, Model, Run, members_of
from reports.cases.step_cost import step_ns
from vocabulary import latency
from vocabulary.representatives import BASELINE, textbook_of

WORKLOAD = "mixed"
_HOLDING = (WORKLOAD, "idle_tasks")  # where so many tasks as a case has are alive together
_REPLIES, _LOAD, _USUAL_LOAD = "echo_at_rate", "load_percent", 70
WORKLOADS = frozenset({*_HOLDING, _REPLIES})
_TAIL = 0.99


@dataclass(frozen=True)
class Mix:
    """A case of tasks that wait and compute, with what each model took."""

    case: Case
    work: Work

    @property
    def measured(self) -> set[str]:
        """The models, whether or not they can be advised."""
        return set(self.case.medians["time"])

    @property
    def tried(self) -> set[str]:
        """These, and those whose cell came to nothing else than that it cannot be done."""
        return {model for model, cell in self.case.cells.items() if cell.status != "unsupported"}


def advisable(run: Run) -> dict[str, Model]:
    """All but the baseline, peers and the textbook of a better model: those are measured to compare with."""
    textbooks = set(textbook_of(members_of(run.models)).values())
    return {
        model.id: model
        for model in run.models
        if model.id != BASELINE and model.family != "peer" and model.native_of is None and model.id not in textbooks
    }


def mixes(analysis: Analysis, known_step_ns: float | None) -> list[Mix]:
    """Those in which something was measured, with all tasks under way together. `known_step_ns`: if it was measured
    otherwise."""
    cases = [
        case
        for row in analysis.rows
        if row.workload.id == WORKLOAD
        for case in row.cases
        if case.medians["time"] and _all_at_once(case)
    ]
    cost_ns = known_step_ns or step_ns(cases) or 0.0  # without any, no case computes
    return [
        Mix(case, Work(case.params["tasks"], case.params["wait_us"] * 1e3, case.params["steps"] * cost_ns))
        for case in cases
    ]


def _all_at_once(case: Case) -> bool:
    tasks, in_flight = case.params.get("tasks"), case.params.get("in_flight")
    return isinstance(tasks, int) and isinstance(in_flight, int) and in_flight >= tasks > 0


class Memory:
    """What a model holds at its peak with so many tasks."""

    def __init__(self, analysis: Analysis, model: Model) -> None:
        self._at_once = model.guaranteed_concurrency
        found: dict[int, float] = {}
        for case in (case for row in analysis.rows if row.workload.id in _HOLDING for case in row.cases):
            if (held := case.medians["memory"].get(model.id)) is not None and case.params.get("tasks"):
                alive = self._alive(case.params["tasks"])
                found[alive] = max(found.get(alive, 0.0), held)
        self._measured = sorted(found.items())

    def _alive(self, tasks: int) -> int:
        return min(tasks, self._at_once or tasks)

    def bytes_for(self, tasks: int) -> float | None:
        """None beyond what was measured, or is nearly so."""
        alive = self._alive(tasks)
        most, held = self._measured[-1] if self._measured else (0, 0.0)
        if alive > most:
            return held * alive / most if alive <= NEAR_RATIO * most else None
        return float(np.interp(alive, [alive for alive, _ in self._measured], [held for _, held in self._measured]))


@dataclass(frozen=True)
class Tails:
    """How long the slowest hundredth of replies took, of a server at the same rate on each model."""

    case: Case | None
    ns: dict[str, int]  # model → 99th percentile


def tails(analysis: Analysis, models: Iterable[str]) -> Tails:
    """Of the case that has most of these models, at a load as near as can be to the usual one."""
    wanted = set(models)
    found = [
        Tails(case, _tails_of(case.cells.values(), wanted))
        for row in analysis.rows
        if row.workload.id == _REPLIES
        for case in row.cases
    ]

    def use(tails: Tails) -> tuple[int, int]:
        load = tails.case.params.get(_LOAD) if tails.case else None
        return len(tails.ns), -abs((load or 0) - _USUAL_LOAD)

    best = max(found, key=use, default=Tails(None, {}))
    return best if best.ns else Tails(None, {})


def _tails_of(cells: Iterable[Cell], wanted: set[str]) -> dict[str, int]:
    able = [cell for cell in cells if cell.model in wanted and cell.status == "ok"]
    return {
        cell.model: ns for cell in able if (ns := latency.percentile(cell.latencies("intended"), _TAIL)) is not None
    }

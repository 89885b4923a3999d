"""The A/A control: a model against its twin, the same program under another name. If they differ, so may any two models for no reason of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports import statistics
from reports.analysis import MAP_METRICS
from reports.run import Run
from reports.statistics import MARGIN, Bounds


@dataclass(frozen=True)
class Pair:
    model: str
    case: str
    metric: str
    bounds: Bounds  # of twin / model

    @property
    def apart(self) -> bool:
        """Shown to differ by more than what decides between models."""
        return self.bounds.beyond(MARGIN)


def floor(compared: Iterable[Bounds]) -> float | None:
    """The noise floor of a run: the largest difference that it seems to see between a model and its twin, in time or in CPU cost, as a share. None without twins."""
    return max((abs(bounds.ratio.value - 1) for bounds in compared), default=None)


def pairs(run: Run) -> list[Pair]:
    """Every twin that has enough rounds, by time and by CPU cost."""
    found = []
    for model, twin in run.twins:
        for metric in MAP_METRICS:
            bounds = statistics.pair(twin.by_round(metric), model.by_round(metric), model.process_of)
            if model.status == twin.status == "ok" and bounds is not None:
                found.append(Pair(model.model, model.case, metric, bounds))
    return found

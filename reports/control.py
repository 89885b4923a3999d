"""The A/A control: a model against its twin, the same program under another name. If they differ, so may any two models for no reason of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from scipy import stats

from reports.analysis import MAP_METRICS
from reports.deciding import Verdict, decide
from reports.looks import looks_of
from reports.run import Run


@dataclass(frozen=True)
class Pair:
    model: str
    case: str
    metric: str
    verdict: Verdict  # of the two alone, after the same looks as any other

    @property
    def apart(self) -> bool:
        """A false alarm: one of them is said to be ahead."""
        return self.verdict.kind in ("wins", "ahead")

    @property
    def deviation(self) -> float:
        """By how much the second seems to be behind the first, as a share."""
        return max(ratio.value for ratio in self.verdict.ratios.values()) - 1


FALSE_ALARM = 0.01  # chance that two equal models are told apart: either may seem ahead, each at one-sided 0.5 %
_UNLIKELY = 0.05


def expected(compared: int) -> float:
    """False alarms of so many comparisons of equal models."""
    return compared * FALSE_ALARM


def distrusted(compared: int, alarms: int) -> bool:
    """More false alarms than sound runs have: so many come by chance in fewer than one of twenty."""
    return bool(stats.binom.sf(alarms - 1, compared, FALSE_ALARM) < _UNLIKELY)


def floor(deviations: Iterable[float]) -> float | None:
    """The noise floor of a run: the difference that it seems to see between a model and its twin, in time or in CPU cost, as a share, in the middle. None without twins."""
    return median(found) if (found := list(deviations)) else None


def pairs(run: Run) -> list[Pair]:
    """Every twin that has enough rounds, by time and by CPU cost."""
    found = []
    for model, twin in run.twins:
        for metric in MAP_METRICS:
            both = {cell.id: cell.series(metric) for cell in (model, twin) if cell.status == "ok"}
            verdict = decide(both, both.keys(), looks=looks_of(model.metric))
            if len(both) == 2 and verdict.kind != "none":
                found.append(Pair(model.model, model.case, metric, verdict))
    return found

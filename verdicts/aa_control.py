"""The A/A control: a model against its control, the same program under another name. If they differ, so may any two
models for no reason of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from scipy import stats

from verdicts.deciding import Verdict, decide
from verdicts.statistics import Series
from vocabulary.looks import looks_of
from vocabulary.terms import MAP_METRICS

FALSE_ALARM = 0.01  # chance that two equal models are told apart: either may seem ahead, each at one-sided 0.5 %
_UNLIKELY = 0.05


@dataclass(frozen=True)
class Pair:
    """A model and its control, compared on one case by one metric."""

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


def compared(model: str, case: str, deciding_metric: str, series_by: Callable[[str], Sequence[Series]]) -> list[Pair]:
    """A model and its control by time and by CPU cost, as far as they have rounds enough. `series_by`: the rounds of
    both in a metric."""
    found = []
    for metric in MAP_METRICS:
        both = dict(zip(("model", "control"), series_by(metric)))
        verdict = decide(both, both.keys(), looks=looks_of(deciding_metric))
        if verdict.kind != "none":
            found.append(Pair(model, case, metric, verdict))
    return found


def expected(compared: int) -> float:
    """False alarms of so many comparisons of equal models."""
    return compared * FALSE_ALARM


def distrusted(compared: int, alarms: int) -> bool:
    """More false alarms than sound runs have: so many come by chance in fewer than one of twenty."""
    return bool(stats.binom.sf(alarms - 1, compared, FALSE_ALARM) < _UNLIKELY)


def floor(deviations: Iterable[float]) -> float | None:
    """The noise floor of a run: the difference that it seems to see between a model and its control, in time or in CPU
    cost, as a share, the median. None without controls."""
    return median(found) if (found := list(deviations)) else None

"""The regression gate: which changes between two runs are shown to be worse than a threshold, which are excluded, and
what could have been seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median, quantiles

from reports.comparison.compare import Change, Comparison, Lost
from verdicts.regression import LEVEL
from verdicts.statistics import Bounds, Estimate, quantile

_POWER = 0.9  # of the slowdown that "would have been found"


@dataclass(frozen=True)
class Seen:
    """The smallest slowdowns that would have been found, as shares, in one metric."""

    metric: str
    half: float  # in half of the comparisons
    most: float  # in nine of ten


@dataclass(frozen=True)
class Findings:
    """The changes, sorted by what the gate makes of them."""

    regressions: tuple[Change, ...]
    lost: tuple[Lost, ...]  # regressions, too: ok before, broken now
    inconclusive: tuple[Change, ...]  # a regression is neither shown nor excluded; the most doubtful first
    unmeasured: tuple[Lost, ...]  # inconclusive, too
    passed: tuple[Change, ...]
    # case and metric → by how much more all of its models need, where that is beyond the threshold
    together: Mapping[tuple[str, str], Bounds]
    seen: tuple[Seen, ...]

    @property
    def failed(self) -> bool:
        """Something is shown to be worse than the threshold, or is lost."""
        return bool(self.regressions or self.lost)


def judge(comparison: Comparison, threshold: float) -> Findings:
    """`threshold`: 0.1 allows 10 % more."""
    limit = math.log1p(threshold)
    changes = [*comparison.changes, *over_all_cases(comparison.changes)]
    chances = [change.chance(limit) for change in changes]
    highest = max(
        (chance for place, chance in enumerate(sorted(chances), 1) if chance <= LEVEL * place / len(chances)),
        default=-1.0,
    )
    together = {key: bounds for key, bounds in comparison.together.items() if bounds.claim_low > limit}
    found: dict[str, list[Change]] = {"regressions": [], "inconclusive": [], "passed": []}
    for change, chance in zip(changes, chances, strict=True):
        excluded = change.bounds.high <= limit and not change.short and (change.case, change.metric) not in together
        found["regressions" if chance <= highest else "passed" if excluded else "inconclusive"].append(change)
    doubtful = sorted(found["inconclusive"], key=lambda change: change.chance(limit))
    return Findings(
        tuple(found["regressions"]),
        comparison.lost,
        tuple(doubtful),
        comparison.unmeasured,
        tuple(found["passed"]),
        together,
        _seen(changes, limit),
    )


def over_all_cases(changes: Sequence[Change]) -> list[Change]:
    """Each model in each metric as a whole: what is small or uncertain in every case may be plain in all."""
    found = []
    for (model, metric), of_model in groupby(
        sorted(changes, key=lambda change: (change.model, change.metric)), lambda change: (change.model, change.metric)
    ):
        members = list(of_model)
        if len(members) > 1 and metric != "memory":
            found.append(
                Change(
                    f"all {len(members)} cases",
                    model,
                    metric,
                    None,
                    None,
                    _mean([change.estimate for change in members]),
                    members[0].looks,
                )
            )
    return found


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    """Weighted by how sure each is. Where they differ by more than their errors explain, the error grows by as much."""
    weights = [1 / max(estimate.error, 1e-6) ** 2 for estimate in estimates]
    total = math.fsum(weights)
    value = math.fsum(weight * estimate.value for weight, estimate in zip(weights, estimates)) / total
    differ = math.fsum(weight * (estimate.value - value) ** 2 for weight, estimate in zip(weights, estimates)) / (
        len(estimates) - 1
    )
    freedom = 1 / math.fsum((weight / total) ** 2 / estimate.freedom for weight, estimate in zip(weights, estimates))
    return Estimate(value, math.sqrt(max(1.0, differ) / total), min(freedom, 100.0))


def _seen(changes: Sequence[Change], limit: float) -> tuple[Seen, ...]:
    """For a model that alone has changed."""
    found = []
    for metric in dict.fromkeys(change.metric for change in changes):
        shares = [_least(change, limit, len(changes)) for change in changes if change.metric == metric]
        if len(shares) > 1:
            found.append(Seen(metric, median(shares), quantiles(shares, n=10, method="inclusive")[-1]))
        else:
            found.append(Seen(metric, shares[0], shares[0]))
    return tuple(found)


def _least(change: Change, limit: float, compared: int) -> float:
    estimate = change.estimate
    sure = quantile(LEVEL / compared / change.looks, estimate.freedom) + quantile(1 - _POWER, estimate.freedom)
    return math.expm1(min(limit + estimate.error * sure, 50.0))

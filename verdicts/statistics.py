"""Intervals for the ratio of two models: within the rounds of one run, and between two runs.

Rounds are paired: all models of a case are visited in every round, so a slow moment of the machine is slow for all. The
ratio of two models is taken within each round; the estimate is the interquartile mean of the log ratios: it ignores up
to a quarter of slow rounds on either side and wastes less than the median does. Its standard error comes from the
winsorised variance (Tukey and McLaughlin 1963), with Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vocabulary.looks import LEAST_ROUNDS

MARGIN = 1.05  # a difference below 5 % decides nothing
CONFIDENCE = 0.95  # of the intervals that are shown
# A case is looked at up to eight times while it is measured, each time with twice the rounds. Pocock's constant bound
# keeps the error over all looks (6 million simulated paths: 2.645 and 3.175; the latter a little wider, as the tails of
# so few rounds are heavier than t's). A last look at fewer rounds than the next one wants is nearer to the one before,
# and adds less error:
# one-sided 2.5 % in all: the intervals that are shown, ties, and the bounds of regret
_BOUND = float(special.ndtr(-2.65))
_CLAIM = float(special.ndtr(-3.22))  # one-sided 0.5 % in all: "slower", "wins" and "ahead"
PROCESSES = 3  # from so many on their spread is looked for
_UNSEEN = 0.01  # by how much processes of one program are taken to differ before their spread can be seen
_SPREAD = 0.05  # level of the F test that looks for it
_RESAMPLES = 2000
_SEED = 20_240_229

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """A model's value divided by that of another, mostly the best; the bounds are None with too few common rounds."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bounds:
    """Of a log ratio: the estimate, the interval that is shown (95 %), and the wider one that a claim needs (99 %).
    Both hold over all looks."""

    value: float
    low: float
    high: float
    claim_low: float
    claim_high: float
    error: float  # standard error

    @property
    def ratio(self) -> Ratio:
        """Out of logarithms."""
        return Ratio(math.exp(self.value), math.exp(self.low), math.exp(self.high))


@dataclass(frozen=True)
class Estimate:
    """Of a mean log ratio."""

    value: float
    error: float  # standard error
    freedom: float  # degrees of it, of Student's t

    def bounds(self, tail: float = _BOUND, claim_tail: float = _CLAIM) -> Bounds:
        """The interval that is shown, and the wider one that claims need."""
        half, claim = self.error * quantile(tail, self.freedom), self.error * quantile(claim_tail, self.freedom)
        return Bounds(
            self.value, self.value - half, self.value + half, self.value - claim, self.value + claim, self.error
        )

    def beyond(self, limit: float) -> float:
        """The probability of so large a value, or a larger one, where the truth is `limit`."""
        if self.error == 0:
            return float(self.value <= limit)
        return float(special.stdtr(self.freedom, (limit - self.value) / self.error))


@dataclass(frozen=True)
class Series:
    """A cell's values by round, all above 0, and the process that measured each round."""

    values: Mapping[int, float]
    process: Mapping[int, int] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def quantile(tail: float, freedom: float) -> float:
    """Student's t that is exceeded with that probability."""
    return float(special.stdtrit(freedom, 1 - tail))


def _middle(logs: Sequence[float]) -> Estimate:
    """Interquartile mean of at least two values."""
    ordered, size = sorted(logs), len(logs)
    cut = size // 4
    kept = ordered[cut : size - cut]
    value = math.fsum(kept) / len(kept)
    winsorised = [kept[0]] * cut + kept + [kept[-1]] * cut
    mean = math.fsum(winsorised) / size
    variance = math.fsum((log - mean) ** 2 for log in winsorised) / (size - 1)
    return Estimate(value, math.sqrt(variance / size) * size / len(kept), len(kept) - 1)


def bounds(logs: Sequence[float], processes: Sequence[Hashable] = ()) -> Bounds:
    """Over all looks."""
    return estimate(logs, processes).bounds()


def estimate(logs: Sequence[float], processes: Sequence[Hashable] = ()) -> Estimate:
    """Of the log ratios of at least two rounds. `processes`: which processes measured each round; where their spread is
    shown, they are what was sampled, not the rounds."""
    groups: dict[Hashable, list[float]] = {}
    for log, process in zip(logs, processes):
        groups.setdefault(process, []).append(log)
    repeated = [group for group in groups.values() if len(group) >= 2]
    if len(repeated) >= PROCESSES and _spread(repeated):
        means = [_middle(group).value for group in repeated]
        mean = math.fsum(means) / len(means)
        variance = math.fsum((one - mean) ** 2 for one in means) / (len(means) - 1)
        return Estimate(mean, math.sqrt(variance / len(means)), len(means) - 1)
    found = _middle(logs)
    if groups and len(repeated) < PROCESSES:
        return replace(found, error=math.hypot(found.error, _UNSEEN * math.sqrt(2 / len(groups))))
    return found


def _spread(groups: Sequence[Sequence[float]]) -> bool:
    """Whether processes differ by more than their rounds explain: the F test, of values whose outer quarters are pulled
    in."""
    ordered = sorted(log for group in groups for log in group)
    size = len(ordered)
    least, most = ordered[size // 4], ordered[-1 - size // 4]
    pulled = [[min(max(log, least), most) for log in group] for group in groups]
    means = [math.fsum(group) / len(group) for group in pulled]
    grand = math.fsum(map(math.fsum, pulled)) / size
    between = math.fsum(len(group) * (mean - grand) ** 2 for group, mean in zip(pulled, means)) / (len(groups) - 1)
    within = math.fsum((log - mean) ** 2 for group, mean in zip(pulled, means) for log in group) / (size - len(groups))
    return between > within * _ratio_of_variances(len(groups) - 1, size - len(groups))


@lru_cache(maxsize=1024)
def _ratio_of_variances(between: int, within: int) -> float:
    return float(special.fdtri(between, within, 1 - _SPREAD))


def common_rounds(first: Series, second: Series) -> list[int]:
    """Those that both have, in order."""
    return sorted(first.values.keys() & second.values.keys())


def pair(over: Series, under: Series, least: int = LEAST_ROUNDS) -> Bounds | None:
    """over / under within rounds; None with fewer than `least` common rounds."""
    rounds = common_rounds(over, under)
    if len(rounds) < max(2, least):
        return None
    logs = [math.log(over.values[r] / under.values[r]) for r in rounds]
    known = over.process or under.process
    return bounds(logs, [(over.process.get(r), under.process.get(r)) for r in rounds] if known else ())


def difference(new: Estimate, old: Estimate) -> Estimate:
    """Of two that have nothing to do with each other, with Welch's degrees of freedom."""
    variances = new.error**2, old.error**2
    spread = variances[0] ** 2 / new.freedom + variances[1] ** 2 / old.freedom
    freedom = sum(variances) ** 2 / spread if spread else new.freedom + old.freedom
    return Estimate(new.value - old.value, math.sqrt(sum(variances)), freedom)


@lru_cache(maxsize=256)
def _draws(strata: tuple[int, ...]) -> NDArray[np.int16]:
    """How often each round was drawn, one column per resample; rounds of one process are drawn from that process
    only."""
    generator = np.random.default_rng(_SEED)
    labels = np.asarray(strata)
    draws = np.empty((len(strata), _RESAMPLES), dtype=np.int16)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        draws[rows] = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=_RESAMPLES).T
    return draws


def _middle_half_mean(ordered: Array, counts: NDArray[np.int16]) -> Array:
    """Interquartile mean of `ordered` values, each taken as often as `counts` says; one result per column of counts."""
    size = len(ordered)
    cut = size / 4
    # The weight of a value is the part of its copies that lies inside the middle half; summed by parts, only the
    # running counts are needed.
    inside = np.clip(np.cumsum(counts[:-1], axis=0, dtype=np.int16), cut, size - cut)
    result: Array = ((size - cut) * ordered[-1] - cut * ordered[0] - np.diff(ordered) @ inside) / (size - 2 * cut)
    return result


def _resample(logs: Array, draws: NDArray[np.int16]) -> tuple[float, Array]:
    """The estimate, and what it would have been in each resample."""
    order = np.argsort(logs, kind="stable")
    ordered = logs[order]
    value = float(_middle_half_mean(ordered, np.ones((len(ordered), 1), dtype=np.int16))[0])
    # A resample of n rounds varies less than n new rounds would, by this factor (without it: coverage 91 % at 6
    # rounds).
    wider = float(np.sqrt(len(ordered) / (len(ordered) - 1)))
    return value, value + (_middle_half_mean(ordered, draws[order]) - value) * wider


def _strata(rounds: list[int], process: Mapping[int, int]) -> tuple[int, ...]:
    """The process of each round; one stratum for all where some process has too few rounds to show its spread."""
    labels = [process.get(r, 0) for r in rounds]
    if any(labels.count(label) < 3 for label in set(labels)):
        return (0,) * len(rounds)
    return tuple(labels)


@dataclass(frozen=True)
class Crossing:
    """Where along a parameter one model overtakes the other, with its 95 % interval."""

    at: float
    low: float
    high: float
    ahead_after: int  # 0 or 1: which of the two is ahead beyond it


def crossings(sizes: Mapping[float, tuple[Series, Series]]) -> list[Crossing]:
    """`sizes`: parameter, above 0 → the two models there. Between two parameters the log ratio is taken to be linear in
    the parameter's logarithm.

    A crossing needs a parameter on either side of it at which the interval shows who is ahead.
    """
    points: list[tuple[float, float, Array, int]] = []
    for size, (first, second) in sorted(sizes.items()):
        rounds = common_rounds(first, second)
        if size <= 0 or len(rounds) < LEAST_ROUNDS:
            continue
        logs = np.log([second.values[r] / first.values[r] for r in rounds])
        value, resampled = _resample(logs, _draws(_strata(rounds, first.process)))
        low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        points.append((float(np.log(size)), value, resampled, int(low > 0) - int(high < 0)))
    shown = [place for place, point in enumerate(points) if point[3]]
    return [
        _crossing(points[a : b + 1]) for a, b in zip(shown, shown[1:], strict=False) if points[a][3] != points[b][3]
    ]


def _crossing(points: list[tuple[float, float, Array, int]]) -> Crossing:
    """Between the first and the last of the points, where different models are ahead."""
    where = np.array([point[0] for point in points])
    # begins above 0, ends below
    curves = np.column_stack([np.concatenate([[point[1]], point[2]]) for point in points]) * points[0][3]
    # Of a curve that crosses more than once between them, the middle of the first and the last time; of one that never
    # does, the end that it misses.
    left, right = curves[:, :-1], curves[:, 1:]
    crosses = (left > 0) != (right > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = where[:-1] + (where[1:] - where[:-1]) * left / (left - right)
        first = np.min(np.where(crosses, places, np.inf), axis=1)
        last = np.max(np.where(crosses, places, -np.inf), axis=1)
        middle = (first + last) / 2
    missed = np.where(curves[:, 0] > 0, where[-1], where[0])
    found = np.exp(np.where(crosses.any(axis=1), middle, missed))
    low, high = np.quantile(found[1:], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Crossing(float(found[0]), float(low), float(high), int(points[-1][3] < 0))

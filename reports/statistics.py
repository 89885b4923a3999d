"""Which models are best in one case: intervals for the ratio to the best, and the verdict that follows from them.

Rounds are paired: all models of a case are visited in every round, so a slow round is slow for all. The ratio of two models is
therefore taken within each round; the estimate is the mean of the middle half of the log ratios (the interquartile mean: it ignores up to a quarter
of slow rounds on either side and wastes less than the median does). Whole rounds are resampled, the same ones for all models.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MARGIN = 1.05  # a difference below 5 % decides nothing
CONFIDENCE = 0.95  # of the intervals that are shown
# "Slower" and "wins" are claims that stay: they need the one-sided 99.5 % bound. With 95 % intervals two equal models at 30 % noise gave a false winner in up to 2.5 % of trials.
CLAIM_CONFIDENCE = 0.99
RESAMPLES = 2000
SEED = 20_240_229
LEAST_ROUNDS = 6
CLEARLY_SLOWER = 1.5  # in every round of a model that was stopped before LEAST_ROUNDS

Array = NDArray[np.float64]
Kind = Literal["wins", "tie", "unresolved", "unopposed", "none"]


@dataclass(frozen=True)
class Ratio:
    """A model's value divided by that of the best; bounds are None with fewer than LEAST_ROUNDS common rounds."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The outcome of one case in one metric. `best_set` stands in order of the estimates; `slower` too."""

    kind: Kind
    best_set: tuple[str, ...]
    slower: tuple[str, ...]
    ratios: Mapping[str, Ratio]
    rounds: int
    reason: str = ""  # why there is no verdict

    @property
    def best(self) -> str | None:
        return self.best_set[0] if self.best_set else None

    @property
    def decided(self) -> bool:
        """It says who is ahead."""
        return self.kind in ("wins", "tie")


@dataclass(frozen=True)
class Bounds:
    """Of a log ratio: the estimate, the interval that is shown, and the wider one that a claim needs."""

    value: float
    low: float
    high: float
    claim_low: float
    claim_high: float

    @property
    def ratio(self) -> Ratio:
        return Ratio(float(np.exp(self.value)), float(np.exp(self.low)), float(np.exp(self.high)))

    def beyond(self, margin: float) -> bool:
        """Shown to differ by more than that factor, one way or the other."""
        return self.claim_low > np.log(margin) or self.claim_high < -np.log(margin)


@lru_cache(maxsize=256)
def _draws(strata: tuple[int, ...], seed: int = SEED) -> NDArray[np.int16]:
    """How often each round was drawn, one column per resample; rounds of one process are drawn from that process only."""
    generator = np.random.default_rng(seed)
    labels = np.asarray(strata)
    draws = np.empty((len(strata), RESAMPLES), dtype=np.int16)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        draws[rows] = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=RESAMPLES).T
    return draws


def _middle_half_mean(ordered: Array, counts: NDArray[np.int16]) -> Array:
    """Interquartile mean of `ordered` values, each taken as often as `counts` says; one result per column of counts."""
    size = len(ordered)
    cut = size / 4
    # The weight of a value is the part of its copies that lies inside the middle half; summed by parts, only the running counts are needed.
    inside = np.clip(np.cumsum(counts[:-1], axis=0, dtype=np.int16), cut, size - cut)
    result: Array = ((size - cut) * ordered[-1] - cut * ordered[0] - np.diff(ordered) @ inside) / (size - 2 * cut)
    return result


def _middle(values: Array) -> float:
    """Interquartile mean of the values themselves."""
    return float(_middle_half_mean(np.sort(values), np.ones((len(values), 1), dtype=np.int16))[0])


def _resample(logs: Array, draws: NDArray[np.int16]) -> tuple[float, Array]:
    """The estimate, and what it would have been in each resample."""
    order = np.argsort(logs, kind="stable")
    ordered = logs[order]
    value = _middle(ordered)
    # A resample of n rounds varies less than n new rounds would, by this factor (without it: coverage 91 % at 6 rounds).
    wider = float(np.sqrt(len(ordered) / (len(ordered) - 1)))
    return value, value + (_middle_half_mean(ordered, draws[order]) - value) * wider


def _bounds(value: float, resampled: Array) -> Bounds:
    tail, claim_tail = (1 - CONFIDENCE) / 2, (1 - CLAIM_CONFIDENCE) / 2
    return Bounds(value, *(float(bound) for bound in np.quantile(resampled, [tail, 1 - tail, claim_tail, 1 - claim_tail])))


def _paired(log_ratios: Array, strata: tuple[int, ...]) -> Bounds:
    return _bounds(*_resample(log_ratios, _draws(strata)))


def _strata(rounds: list[int], process: Mapping[int, int]) -> tuple[int, ...]:
    """The process of each round; one stratum for all where some process has too few rounds to show its spread."""
    labels = [process.get(r, 0) for r in rounds]
    if any(labels.count(label) < 3 for label in set(labels)):
        return (0,) * len(rounds)
    return tuple(labels)


def _log_ratios(values: Mapping[int, float], reference: Mapping[int, float]) -> tuple[list[int], Array]:
    rounds = sorted(values.keys() & reference.keys())
    return rounds, np.log([values[r] for r in rounds]) - np.log([reference[r] for r in rounds])


def _fastest(values: Mapping[str, Mapping[int, float]], names: list[str]) -> str:
    """Lowest median, unless another one is ahead of it within rounds."""
    first = min(names, key=lambda name: (float(np.median(list(values[name].values()))), name))

    def behind(name: str) -> float:
        rounds, logs = _log_ratios(values[name], values[first])
        if len(rounds) < LEAST_ROUNDS:
            return np.inf
        return _middle(logs)

    return min(names, key=lambda name: (behind(name), name != first, name))


def compare(
    values: Mapping[str, Mapping[int, float]],
    competing: Set[str],
    *,
    known_slower: Set[str] = frozenset(),
    process: Mapping[int, int] | None = None,
) -> Verdict:
    """Verdict of one case. `values`: model → round → value (positive, smaller is better).

    Models outside `competing` get a ratio and nothing else. `known_slower` competes and was shown to be slower otherwise (stopped early,
    or projected beyond the budget). `process`: round → process that measured it.
    """
    contenders = sorted(name for name in competing if values.get(name))
    full = [name for name in contenders if len(values[name]) >= LEAST_ROUNDS and name not in known_slower]
    if not full:
        most = max((len(values[name]) for name in contenders), default=0)
        nothing = "no competing model was measured" if any(values.values()) else "nothing was measured"
        reason = f"{most} of at least {LEAST_ROUNDS} rounds" if most else nothing
        return Verdict("none", (), (), _plain_ratios(values, contenders), most, reason)
    best = _fastest(values, full)
    margin = float(np.log(MARGIN))
    ratios: dict[str, Ratio] = {}
    undecided: dict[str, float] = {}  # member of the best set → log ratio
    high: dict[str, float] = {}
    slower: dict[str, float] = {}
    for name in sorted(values):
        rounds, logs = _log_ratios(values[name], values[best])
        if len(rounds) < LEAST_ROUNDS:
            if rounds:
                ratios[name] = Ratio(float(np.exp(np.median(logs))))
            if name in competing and name not in known_slower and values[name]:
                clear = bool(rounds) and float(np.exp(logs.min())) >= CLEARLY_SLOWER
                (slower if clear else undecided)[name] = float(np.median(logs)) if rounds else np.inf
                high[name] = np.inf
            continue
        bounds = _paired(logs, _strata(rounds, process or {}))
        ratios[name] = bounds.ratio
        if name in competing and name not in known_slower:
            shown_slower = name != best and bounds.claim_low > margin
            (slower if shown_slower else undecided)[name] = bounds.value
            high[name] = bounds.high
    for name in known_slower & competing:
        slower[name] = float(np.log(ratios[name].value)) if name in ratios else np.inf
    members = tuple(sorted(undecided, key=lambda name: (name != best, undecided[name], name)))
    losers = tuple(sorted(slower, key=lambda name: (slower[name], name)))
    kind: Kind
    if len(members) == 1:
        kind = "wins" if losers else "unopposed"
    elif all(high[name] < margin for name in members):
        kind = "tie"
    else:
        kind = "unresolved"
    return Verdict(kind, members, losers, ratios, len(values[best]))


def _plain_ratios(values: Mapping[str, Mapping[int, float]], contenders: list[str]) -> dict[str, Ratio]:
    """Ratios of medians without intervals: too few rounds for more."""
    medians = {name: float(np.median(list(v.values()))) for name, v in values.items() if v}
    if not contenders:
        return {}
    least = min(medians[name] for name in contenders)
    return {name: Ratio(median / least) for name, median in medians.items()}


def settle(everything: Verdict, quiet: Verdict) -> Verdict:
    """The verdict on all rounds, unless that on the undisturbed ones contradicts it: then it is open.

    Fewer rounds show less, which is no contradiction; it is one where either shows a model to be slower that the other shows not to be.
    """
    shown_near = set(quiet.best_set) if quiet.decided else set()
    if not everything.decided or not (set(everything.best_set) & set(quiet.slower) or shown_near & set(everything.slower)):
        return everything
    members = everything.best_set + tuple(name for name in quiet.best_set if name not in everything.best_set)
    losers = tuple(name for name in everything.slower if name not in members)
    return Verdict("unresolved", members, losers, everything.ratios, everything.rounds, "the undisturbed rounds alone say otherwise")


def pair(values: Mapping[int, float], reference: Mapping[int, float], process: Mapping[int, int]) -> Bounds | None:
    """Two models of one case, within rounds; None with too few of them."""
    rounds, logs = _log_ratios(values, reference)
    return _paired(logs, _strata(rounds, process)) if len(rounds) >= LEAST_ROUNDS else None


@dataclass(frozen=True)
class Series:
    """A cell's values by round, and the process that measured each round."""

    values: Mapping[int, float]
    process: Mapping[int, int]


def change(old: Series, new: Series) -> Bounds | None:
    """The same cell in two runs, whose rounds have nothing to do with each other; None with too few of them."""
    estimates = []
    for side, series in enumerate((old, new)):
        rounds = sorted(series.values)
        if len(rounds) < LEAST_ROUNDS:
            return None
        logs = np.log([series.values[r] for r in rounds])
        estimates.append(_resample(logs, _draws(_strata(rounds, series.process), SEED + side)))
    (before, resampled_before), (after, resampled_after) = estimates
    return _bounds(after - before, resampled_after - resampled_before)


@dataclass(frozen=True)
class Crossing:
    """Where along a parameter one model overtakes the other, with its 95 % interval."""

    at: float
    low: float
    high: float
    ahead_after: int  # 0 or 1: which of the two is ahead beyond it


def crossings(sizes: Mapping[float, tuple[Series, Series]]) -> list[Crossing]:
    """`sizes`: parameter, above 0 → the two models there. Between two parameters the log ratio is taken to be linear in the parameter's logarithm.

    A crossing needs a parameter on either side of it at which the interval shows who is ahead.
    """
    points: list[tuple[float, float, Array, int]] = []
    for size, (first, second) in sorted(sizes.items()):
        rounds, logs = _log_ratios(second.values, first.values)
        if size <= 0 or len(rounds) < LEAST_ROUNDS:
            continue
        value, resampled = _resample(logs, _draws(_strata(rounds, first.process)))
        bounds = _bounds(value, resampled)
        points.append((float(np.log(size)), value, resampled, (bounds.low > 0) - (bounds.high < 0)))
    shown = [place for place, point in enumerate(points) if point[3]]
    return [_crossing(points[a : b + 1]) for a, b in zip(shown, shown[1:], strict=False) if points[a][3] != points[b][3]]


def _crossing(points: list[tuple[float, float, Array, int]]) -> Crossing:
    """Between the first and the last of the points, where different models are ahead."""
    where = np.array([point[0] for point in points])
    curves = np.column_stack([np.concatenate([[point[1]], point[2]]) for point in points]) * points[0][3]  # begins above 0, ends below
    # Of a curve that crosses more than once between them, the middle of the first and the last time; of one that never does, the end that it misses.
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

"""How the variance within blocks divides into what lies between groups, within groups, and in measuring; with intervals.

Blocks are fixed; the groups of a block and the values of a group are random: value = block + group + own + error, the last of known variance. The components
come from equating the sums of squares, fitted one after the other, with what they are expected to be (Henderson 1953, method 3; Searle, Casella and McCulloch
1992, chapter 5). That needs neither equal numbers nor every group in every block. A component below 0 counts as 0. For the intervals whole blocks are
resampled (Field and Welsh 2007), and widened as Student's t asks of so few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reports.statistics import CONFIDENCE

_RESAMPLES = 4000
_SEED = 20_260_130
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Value:
    """`error`: the variance of its measuring."""

    value: float
    error: float = 0.0


Block = Sequence[Sequence[Value]]  # groups of values


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float

    @property
    def inverse(self) -> Interval:
        return Interval(*(math.inf if end == 0 else 1 / end for end in (self.value, self.high, self.low)))


@dataclass(frozen=True)
class Components:
    """`between` groups, `within` them and `measuring` are shares of the variance; `ratio` is within / between; `spread` is the standard deviation without the measuring."""

    between: Interval
    within: Interval
    measuring: float
    ratio: Interval
    spread: Interval


def components(blocks: Sequence[Block]) -> Components:
    """Of at least two blocks, some of which have two groups, and some of these two values in a group."""
    sums = np.array([_sums(block) for block in blocks])
    number = len(blocks)
    draws = np.random.default_rng(_SEED).multinomial(number, np.full(number, 1 / number), size=_RESAMPLES)
    found = _shares(np.vstack([sums.sum(axis=0), draws @ sums]))
    # Blocks resampled vary less than new ones would, and so few of them say little of their own spread.
    freedom = number - 1
    wider = math.sqrt(number / freedom) * float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2) / special.ndtri((1 + CONFIDENCE) / 2))
    between, within, part = (_interval(row, wider, 1.0) for row in found[:3])
    return Components(between, within, float(found[4][0]), _odds(part), _interval(found[3], wider, math.inf))


def _sums(block: Block) -> tuple[float, ...]:
    """Sums of squares and what they are expected to be made of, all of which add up over blocks."""
    sizes = [len(group) for group in block]
    total = sum(sizes)
    means = [math.fsum(one.value for one in group) / len(group) for group in block]
    grand = math.fsum(mean * size for mean, size in zip(means, sizes, strict=True)) / total
    within = math.fsum((one.value - mean) ** 2 for group, mean in zip(block, means, strict=True) for one in group)
    between = math.fsum(size * (mean - grand) ** 2 for mean, size in zip(means, sizes, strict=True))
    error_within = math.fsum(one.error * (1 - 1 / len(group)) for group in block for one in group)
    error_between = math.fsum(one.error * (1 / len(group) - 1 / total) for group in block for one in group)
    errors = math.fsum(one.error for group in block for one in group)
    return within, error_within, total - len(block), between, error_between, len(block) - 1, total - math.fsum(size * size for size in sizes) / total, errors, total


def _shares(sums: Array) -> tuple[Array, ...]:
    """Of each row: the shares between and within groups, what part of both is within, the standard deviation of both, the share of measuring."""
    ss_within, error_within, freedom_within, ss_between, error_between, freedom_between, weight, errors, total = sums.T
    within = np.maximum(0.0, (ss_within - error_within) / np.maximum(1, freedom_within))
    between = np.maximum(0.0, (ss_between - error_between - freedom_between * within) / np.maximum(1e-12, weight))
    measuring = errors / total
    both = between + within
    everything = both + measuring
    with np.errstate(divide="ignore", invalid="ignore"):
        part = within / both  # not a number where there is neither
        return np.nan_to_num(between / everything), np.nan_to_num(within / everything), part, np.sqrt(both), np.nan_to_num(measuring / everything)


def _interval(found: Array, wider: float, most: float) -> Interval:
    """Within 0 and `most`. The first is the estimate, the others are the resamples; one of them that says nothing may lie at either end."""
    value = most / 2 if math.isnan(found[0]) else float(found[0])
    low, high = (value + (np.where(np.isnan(found[1:]), end, found[1:]) - value) * wider for end in (0.0, 1.0))
    least, largest = float(np.quantile(low, (1 - CONFIDENCE) / 2)), float(np.quantile(high, (1 + CONFIDENCE) / 2))
    return Interval(value, max(0.0, least), min(most, largest))


def _odds(part: Interval) -> Interval:
    return Interval(*(math.inf if end >= 1 else end / (1 - end) for end in (part.value, part.low, part.high)))

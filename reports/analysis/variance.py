"""Divides the variance within cases into parts: between families, between the implementations of a family, and
measurement; with intervals.

A mixed model with cases as blocks: value = case + family + kind of implementation + their interaction + error, where
families and interactions of a case are random, the kinds (textbook, best, library) are fixed, and the variance of the
error is known. That a textbook is slower everywhere is no noise between families, so only the interaction is taken off
what lies between them. The components come from equating mean squares with what they are expected to be (Searle,
Casella and McCulloch 1992, chapters 4 and 5), between families of the one that stands for each: that needs neither
equal numbers nor every family in every case. A component below 0 counts as 0. For the intervals whole cases are
resampled (Field and Welsh 2007), and widened as Student's t asks of so few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from verdicts.statistics import CONFIDENCE

_RESAMPLES = 4000
_SEED = 20_260_130
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Value:
    """`error`: the variance of its measuring."""

    value: float
    error: float = 0.0


Family = Mapping[str, Value]  # kind of implementation → value; the first stands for the family
Block = Sequence[Family]  # a case


@dataclass(frozen=True)
class Interval:
    """A ratio with its bounds; infinite where nothing bounds it."""

    value: float
    low: float
    high: float

    @property
    def inverse(self) -> Interval:
        """Of the ratio the other way round."""
        return Interval(*(math.inf if end == 0 else 1 / end for end in (self.value, self.high, self.low)))


@dataclass(frozen=True)
class Components:
    """`between` families, `within` them and `measuring` are shares of the variance; `ratio` is within / between;
    `spread` is the standard deviation without the measuring."""

    between: Interval
    within: Interval
    measuring: float
    ratio: Interval
    spread: float


def components(blocks: Sequence[Block]) -> Components:
    """Of at least two cases with at least two families that have several implementations."""
    sums = np.array([_sums(block) for block in blocks])
    number = len(blocks)
    draws = np.random.default_rng(_SEED).multinomial(number, np.full(number, 1 / number), size=_RESAMPLES)
    found = _shares(np.vstack([sums.sum(axis=0), draws @ sums]))
    # Blocks resampled vary less than new ones would, and so few of them say little of their own spread.
    freedom = number - 1
    wider = math.sqrt(number / freedom) * float(
        special.stdtrit(freedom, (1 + CONFIDENCE) / 2) / special.ndtri((1 + CONFIDENCE) / 2)
    )
    between, within, part = (_interval(row, wider) for row in found[:3])
    return Components(between, within, float(found[4][0]), _odds(part), float(found[3][0]))


def _sums(block: Block) -> tuple[float, ...]:
    """Sums of squares, what errors add to them, and their degrees of freedom: within families, of the interaction,
    between families. All add up over cases."""
    sums = [0.0] * 9
    differences: dict[tuple[str, str], list[Value]] = {}
    for family in block:
        (first, value), *others = family.items()
        for kind, other in others:
            differences.setdefault((first, kind), []).append(
                Value(other.value - value.value, other.error + value.error)
            )
        _add(sums, 0, list(family.values()))
    for of_kind in differences.values():
        _add(sums, 3, [Value(one.value / math.sqrt(2), one.error / 2) for one in of_kind])
    _add(sums, 6, [next(iter(family.values())) for family in block])
    errors = [one.error for family in block for one in family.values()]
    return *sums, math.fsum(errors), len(errors)


def _add(sums: list[float], place: int, values: Sequence[Value]) -> None:
    mean = math.fsum(one.value for one in values) / len(values)
    sums[place] += math.fsum((one.value - mean) ** 2 for one in values)
    sums[place + 1] += math.fsum(one.error for one in values) * (1 - 1 / len(values))
    sums[place + 2] += len(values) - 1


def _shares(sums: Array) -> tuple[Array, ...]:
    """Of each row: the shares between and within families, what part of both is within, the standard deviation of both,
    the share of measuring."""
    within, interaction, representatives = (
        np.maximum(0.0, (sums[:, at] - sums[:, at + 1]) / np.maximum(1, sums[:, at + 2])) for at in (0, 3, 6)
    )
    between = np.maximum(0.0, representatives - interaction)
    measuring = sums[:, 9] / sums[:, 10]
    both = between + within
    everything = both + measuring
    with np.errstate(divide="ignore", invalid="ignore"):
        part = within / both  # not a number where there is neither
        return (
            np.nan_to_num(between / everything),
            np.nan_to_num(within / everything),
            part,
            np.sqrt(both),
            np.nan_to_num(measuring / everything),
        )


def _interval(found: Array, wider: float) -> Interval:
    """Of a share. The first is the estimate, the others are the resamples; one of them that says nothing may lie at
    either end."""
    value = 0.5 if math.isnan(found[0]) else float(found[0])
    low, high = (value + (np.where(np.isnan(found[1:]), end, found[1:]) - value) * wider for end in (0.0, 1.0))
    least, largest = float(np.quantile(low, (1 - CONFIDENCE) / 2)), float(np.quantile(high, (1 + CONFIDENCE) / 2))
    return Interval(value, max(0.0, least), min(1.0, largest))


def _odds(part: Interval) -> Interval:
    return Interval(*(math.inf if end >= 1 else end / (1 - end) for end in (part.value, part.low, part.high)))

"""Where along a parameter one model overtakes another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.reports.synthetic import log_noise
from verdicts.statistics import Crossing, Series, crossings

SIZES = (1.0, 10.0, 100.0, 1000.0, 10_000.0)


def exact(
    ratios: Sequence[float], sizes: Sequence[float] = SIZES, rounds: int = 8
) -> dict[float, tuple[Series, Series]]:
    """`ratios` of the second model's value to the first's, without noise."""
    flat = {
        size: (dict.fromkeys(range(rounds), 1.0), dict.fromkeys(range(rounds), ratio))
        for size, ratio in zip(sizes, ratios, strict=True)
    }
    return {size: (Series(a, {}), Series(b, {})) for size, (a, b) in flat.items()}


def test_without_noise_the_crossing_is_where_the_ratio_is_one() -> None:
    (found,) = crossings(exact([4, 2, 0.5, 0.25, 0.25]))
    assert found.at == pytest.approx(10**1.5)
    assert (found.low, found.high) == (pytest.approx(found.at), pytest.approx(found.at))
    assert found.ahead_after == 1


def test_every_change_of_who_is_ahead_is_found_in_order() -> None:
    first, second = crossings(exact([2, 0.5, 0.5, 2, 2]))
    assert (first.ahead_after, second.ahead_after) == (1, 0)
    assert first.at == pytest.approx(10**0.5)
    assert second.at == pytest.approx(10**2.5)


def test_without_a_change_shown_on_both_sides_there_is_no_crossing() -> None:
    assert crossings(exact([2, 2, 1.5, 1.2, 1.1])) == []
    assert crossings(exact([2, 1, 1, 1, 1])) == []
    assert crossings(exact([2, 0.5], sizes=(1, 10), rounds=5)) == []
    assert crossings({}) == []


def test_a_parameter_of_zero_has_no_logarithm_and_is_left_out() -> None:
    assert len(crossings(exact([0.5, 2, 0.5], sizes=(0, 1, 10)))) == 1


def trial(generator: np.random.Generator, slope: float, crossing: float, cv: float) -> list[Crossing]:
    sizes = {}
    for size in SIZES:
        noise = np.exp(log_noise(generator, (24, 2), cv))
        ratio = np.exp(slope * (np.log(size) - np.log(crossing)))
        sizes[size] = (Series(dict(enumerate(noise[:, 0])), {}), Series(dict(enumerate(noise[:, 1] * ratio)), {}))
    return crossings(sizes)


@pytest.mark.parametrize(("cv", "slope"), [(0.02, 0.2), (0.1, 0.2), (0.3, 0.4)])
def test_the_interval_holds_the_true_crossing_in_92_to_97_percent_of_trials(cv: float, slope: float) -> None:
    generator = np.random.default_rng(3)
    found = [trial(generator, slope, 300.0, cv) for _ in range(500)]
    assert sum(len(one) == 1 for one in found) >= 480
    held = [one[0].low <= 300 <= one[0].high for one in found if len(one) == 1]
    assert 0.92 <= sum(held) / len(held) <= 0.97


def test_equal_models_cross_nowhere_in_nearly_all_trials() -> None:
    generator = np.random.default_rng(4)
    assert sum(bool(trial(generator, 0.0, 300.0, 0.1)) for _ in range(300)) / 300 <= 0.02

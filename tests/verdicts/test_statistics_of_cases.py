"""Intervals for the ratio of two models, on data whose true ratio is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from tests.reports.synthetic import log_noise
from verdicts.statistics import Bounds, Series, bounds, common_rounds, difference, estimate, pair
from vocabulary.looks import LEAST_ROUNDS, LOOKS

TRIALS = 1000
TRUE = math.log(1.7)
MANY = 4000
AT_LEAST_95_PERCENT = 0.942  # of so many trials, of which 95 % hold in the long run, fewer hold in 1 of 100 tests
# Student's t with n - 2g - 1 degrees of freedom is too narrow this far out in its tails while rounds are few: at 12
# rounds one-sided 0.93 % instead of 0.54 %.
TOO_NARROW = "misses 95 %: {}. With 5/7 of the degrees of freedom it holds"
LAST_LOOK = LOOKS[-1]


def flat(value: float, rounds: Sequence[int] = range(12)) -> Series:
    """The same in every round."""
    return Series(dict.fromkeys(rounds, value))


def found(over: Series, under: Series, least: int = LEAST_ROUNDS) -> Bounds:
    result = pair(over, under, least)
    assert result is not None
    return result


def half(of: Bounds) -> float:
    return of.high - of.value


def test_a_slow_round_that_hits_both_models_changes_no_ratio() -> None:
    slow = (1.0, 9.0, 1.0, 4.0, 1.0, 30.0)
    one, other = (Series({r: value * factor for r, factor in enumerate(slow)}) for value in (100, 120))
    ratio = found(other, one).ratio
    assert (ratio.value, ratio.low, ratio.high) == (pytest.approx(1.2), pytest.approx(1.2), pytest.approx(1.2))


def test_the_outer_quarters_of_the_rounds_do_not_move_the_estimate() -> None:
    values = [1.0, 2.0, 3.0, 100.0, 110.0, 100.0, 110.0, 100.0, 110.0, 7000.0, 8000.0, 9000.0]
    assert found(Series(dict(enumerate(values))), flat(1.0)).value == pytest.approx((math.log(100) + math.log(110)) / 2)


def test_only_rounds_that_both_models_have_are_compared() -> None:
    early = Series(dict.fromkeys(range(6), 1.0) | dict.fromkeys(range(6, 12), 200.0))
    late = flat(100.0, range(6, 14))
    assert common_rounds(early, late) == list(range(6, 12))
    assert found(early, late).ratio.low == pytest.approx(2)


@pytest.mark.parametrize(
    ("rounds", "least", "known"),
    [(5, 6, False), (6, 6, True), (2, 3, False), (3, 3, True), (1, 1, False), (0, 0, False), (2, 1, True)],
)
def test_too_few_common_rounds_give_no_interval(rounds: int, least: int, known: bool) -> None:
    assert (pair(flat(2.0, range(rounds)), flat(1.0), least) is not None) == known


def test_the_other_way_round_is_the_mirror_image() -> None:
    over, under = Series({r: 2.0 + r % 4 for r in range(12)}), flat(1.0)
    one, other = found(over, under), found(under, over)
    assert (-one.value, -one.high, -one.low, -one.claim_high, -one.claim_low, one.error) == pytest.approx(
        (other.value, other.low, other.high, other.claim_low, other.claim_high, other.error)
    )


def test_a_claim_needs_a_wider_interval_than_is_shown() -> None:
    one = found(Series({r: 2.0 + r % 4 for r in range(12)}), flat(1.0))
    assert one.claim_low < one.low < one.value < one.high < one.claim_high


@pytest.mark.parametrize("cv", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("rounds", [6, 12, 24, 48, LAST_LOOK])
def test_the_interval_of_one_look_holds_the_true_ratio_more_often_than_95_percent_as_it_is_for_six(
    rounds: int, cv: float
) -> None:
    generator = np.random.default_rng(12)
    logs = log_noise(generator, (TRIALS, rounds, 2), cv) + [0.0, TRUE]
    each = [bounds(trial) for trial in (logs[:, :, 1] - logs[:, :, 0]).tolist()]
    assert 0.975 <= sum(b.low <= TRUE <= b.high for b in each) / TRIALS <= 0.999
    assert sum(b.claim_low > TRUE for b in each) + sum(b.claim_high < TRUE for b in each) <= 0.01 * TRIALS


@pytest.mark.xfail(reason=TOO_NARROW.format("93.1 %"), strict=True)
@pytest.mark.parametrize("cv", [0.02, 0.1, 0.3])
def test_all_six_looks_hold_the_true_ratio_in_95_percent_of_trials(cv: float) -> None:
    generator = np.random.default_rng(13)
    logs = log_noise(generator, (MANY, LAST_LOOK, 2), cv) + [0.0, TRUE]
    held = 0
    for trial in (logs[:, :, 1] - logs[:, :, 0]).tolist():
        looks = [bounds(trial[:look]) for look in LOOKS]
        held += all(b.low <= TRUE <= b.high for b in looks)
    assert AT_LEAST_95_PERCENT <= held / MANY <= 0.985


def by_process(ratios: Sequence[float], rounds_each: int, jitter: float = 0.001) -> tuple[Series, Series]:
    """A model whose processes differ by those factors, and one that is always the same."""
    process = {r: r // rounds_each for r in range(len(ratios) * rounds_each)}
    over = {r: ratios[p] * (1 + jitter * (r % rounds_each)) for r, p in process.items()}
    return Series(over, process), Series(dict.fromkeys(over, 1.0), process)


def test_processes_that_differ_are_what_was_sampled_not_their_rounds() -> None:
    """Four processes of 12 rounds tell no more than four values, however alike the rounds of each are."""
    ratios = (1.0, 1.1, 1.2, 1.3)
    apart = found(*by_process(ratios, 12))
    as_if_rounds = bounds([math.log(ratio) for ratio in ratios for _ in range(12)])
    assert half(apart) > 2 * half(as_if_rounds)
    assert apart.value == pytest.approx(math.fsum(map(math.log, ratios)) / 4, abs=0.01)


def test_processes_that_do_not_differ_leave_the_interval_as_their_rounds_have_it() -> None:
    generator = np.random.default_rng(3)
    logs = generator.standard_normal(48).tolist()
    process = {r: r // 12 for r in range(48)}
    one, other = Series({r: math.exp(log) for r, log in enumerate(logs)}, process), Series(
        dict.fromkeys(range(48), 1.0), process
    )
    assert half(found(one, other)) == pytest.approx(half(bounds(logs)))


def test_before_three_processes_were_seen_they_are_taken_to_differ() -> None:
    one, two, many = (found(*by_process([1.5] * count, 24 // count, 0.0)) for count in (1, 2, 6))
    assert half(one) > half(two) > 0
    assert half(many) == pytest.approx(0)


def test_intervals_hold_the_true_ratio_of_processes_that_differ() -> None:
    """Of eight processes with 3 rounds each, off by 5 %, where one round varies by 2 % only."""
    generator = np.random.default_rng(14)
    held = 0
    for _ in range(TRIALS):
        process = {r: r // 3 for r in range(24)}
        noise = np.exp(
            log_noise(generator, (24, 2), 0.02) + np.repeat(0.05 * generator.standard_normal((8, 2)), 3, axis=0)
        )
        held += (
            (
                b := found(
                    Series(dict(enumerate(noise[:, 1].tolist())), process),
                    Series(dict(enumerate(noise[:, 0].tolist())), process),
                )
            ).low
            <= 0
            <= b.high
        )
    assert held / TRIALS >= 0.975


def between(old: Iterable[float], new: Iterable[float]) -> Bounds:
    """Of the change between two runs, which have no rounds in common and are looked at once."""
    before, after = (estimate([math.log(value) for value in values]) for values in (old, new))
    return difference(after, before).bounds(0.025, 0.005)


def test_two_runs_share_no_rounds_and_are_compared_by_their_values() -> None:
    both = between((100.0 + r % 3 for r in range(12)), (150.0 + r % 3 for r in range(8)))
    assert both.ratio.value == pytest.approx(1.5, abs=0.02)


def test_a_change_between_two_runs_without_noise_has_an_interval_of_no_width() -> None:
    both = between([100.0] * 6, [200.0] * 6)
    assert both.low == both.high == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("old_rounds", "new_rounds"),
    [(6, 6), pytest.param(6, 48, marks=pytest.mark.xfail(reason=TOO_NARROW.format("92.6 %"), strict=True)), (24, 24)],
)
def test_a_change_between_two_runs_holds_the_true_one_in_95_percent_of_trials(old_rounds: int, new_rounds: int) -> None:
    generator = np.random.default_rng(15)
    held = 0
    for _ in range(MANY):
        old, new = (np.exp(log_noise(generator, (rounds, 1), 0.1))[:, 0] for rounds in (old_rounds, new_rounds))
        both = between(old.tolist(), (new * 1.7).tolist())
        held += both.low <= TRUE <= both.high
    assert AT_LEAST_95_PERCENT <= held / MANY <= 1.0


def test_the_same_rounds_give_the_same_interval() -> None:
    logs = np.random.default_rng(1).standard_normal(24).tolist()
    assert bounds(logs) == bounds(list(logs))
    assert half(bounds(logs)) == pytest.approx(half(bounds(logs[::-1])))  # in whichever order

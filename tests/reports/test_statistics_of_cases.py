"""Verdicts on synthetic data with known answers; the noise model is synthetic.log_noise."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from reports import statistics
from reports.statistics import Verdict, compare
from tests.reports.synthetic import log_noise

TRIALS = 1000
ROUNDS = 24


def steady(**values: float) -> dict[str, dict[int, float]]:
    """Six rounds without noise."""
    return {name: dict.fromkeys(range(6), value) for name, value in values.items()}


def decide(values: dict[str, dict[int, float]], **options: object) -> Verdict:
    return compare(values, set(values), **options)  # type: ignore[arg-type]


def trials(means: list[float], cv: float, rounds: int = ROUNDS, count: int = TRIALS, shared: float = 0.5) -> list[Verdict]:
    generator = np.random.default_rng(11)
    noise = np.exp(log_noise(generator, (count, rounds, len(means)), cv, shared)) * np.asarray(means)
    return [decide({f"m{k}": dict(enumerate(trial[:, k])) for k in range(len(means))}) for trial in noise]


def share(verdicts: list[Verdict], kind: str) -> float:
    return Counter(v.kind for v in verdicts)[kind] / len(verdicts)


def test_the_only_model_not_shown_to_be_slower_wins() -> None:
    verdict = decide(steady(a=100, b=106, c=300))
    assert (verdict.kind, verdict.best_set, verdict.slower) == ("wins", ("a",), ("b", "c"))
    assert verdict.ratios["c"].value == pytest.approx(3)
    assert verdict.ratios["c"].low == pytest.approx(3)


def test_models_within_the_margin_tie_and_the_rest_is_slower() -> None:
    verdict = decide(steady(a=104, b=100, c=106))
    assert (verdict.kind, verdict.best_set, verdict.slower) == ("tie", ("b", "a"), ("c",))


def test_intervals_that_reach_beyond_the_margin_leave_the_set_unresolved() -> None:
    wild = {r: 100.0 * factor for r, factor in enumerate((0.5, 2.0, 0.6, 1.7, 1.0, 1.1, 0.8, 1.2))}
    verdict = decide({"a": dict.fromkeys(range(8), 100.0), "b": wild, "c": dict.fromkeys(range(8), 1000.0)})
    assert verdict.kind == "unresolved"
    assert set(verdict.best_set) == {"a", "b"}
    assert verdict.slower == ("c",)


def test_a_slow_round_that_hits_all_models_changes_no_ratio() -> None:
    slow = {0: 1.0, 1: 9.0, 2: 1.0, 3: 4.0, 4: 1.0, 5: 30.0}
    verdict = decide({"a": {r: 100 * s for r, s in slow.items()}, "b": {r: 120 * s for r, s in slow.items()}})
    assert verdict.kind == "wins"
    assert verdict.ratios["b"].high == pytest.approx(1.2)


def test_fewer_than_six_rounds_give_ratios_and_no_verdict() -> None:
    verdict = decide({"a": dict.fromkeys(range(5), 1.0), "b": dict.fromkeys(range(5), 9.0)})
    assert (verdict.kind, verdict.best_set, verdict.rounds) == ("none", (), 5)
    assert verdict.ratios["b"].value == pytest.approx(9)
    assert verdict.ratios["b"].low is None
    assert "5 of at least 6 rounds" in verdict.reason


def test_nothing_measured_is_no_verdict() -> None:
    assert compare({}, {"a"}).kind == "none"
    assert compare({"a": {}}, {"a"}).reason == "nothing was measured"
    assert compare(steady(variant=1), {"a"}).reason == "no competing model was measured"


def test_a_model_that_nobody_competes_with_does_not_win() -> None:
    assert decide(steady(a=1)).kind == "unopposed"


def test_a_variant_outside_the_competition_gets_a_ratio_and_no_place() -> None:
    verdict = compare(steady(a=100, b=200, variant=50), {"a", "b"})
    assert (verdict.kind, verdict.best_set, verdict.slower) == ("wins", ("a",), ("b",))
    assert verdict.ratios["variant"].value == pytest.approx(0.5)


def test_a_model_known_to_be_slower_loses_without_an_interval() -> None:
    values = steady(a=100, b=110) | {"stopped": {0: 900.0, 1: 800.0, 2: 850.0}}
    verdict = decide(values, known_slower={"stopped", "b"})
    assert (verdict.kind, verdict.best_set) == ("wins", ("a",))
    assert verdict.slower == ("b", "stopped")
    assert verdict.ratios["stopped"].low is None


def test_a_model_with_few_rounds_stays_in_the_set_unless_it_is_clearly_slower() -> None:
    near = decide(steady(a=100, b=200) | {"few": {0: 105.0, 1: 99.0, 2: 101.0}})
    assert (near.kind, set(near.best_set)) == ("unresolved", {"a", "few"})
    far = decide(steady(a=100, b=200) | {"few": {0: 160.0, 1: 170.0, 2: 155.0}})
    assert (far.kind, far.slower) == ("wins", ("few", "b"))


def test_only_rounds_that_both_models_have_are_compared() -> None:
    late = {r: 100.0 for r in range(6, 12)}
    early = {r: 1.0 for r in range(6)} | {r: 200.0 for r in range(6, 12)}
    verdict = decide({"late": late, "early": early})
    assert verdict.ratios["early" if verdict.best == "late" else "late"].low is not None


def test_rounds_are_resampled_within_their_process() -> None:
    """Two processes of very different ratio: resampled apart, the mix stays half and half, so the interval is narrow."""
    a = dict.fromkeys(range(24), 100.0)
    b = {r: 120.0 if r < 12 else 180.0 for r in range(24)}
    apart = decide({"a": a, "b": b}, process={r: r // 12 for r in range(24)}).ratios["b"]
    mixed = decide({"a": a, "b": b}).ratios["b"]
    assert apart.low and apart.high and mixed.low and mixed.high
    assert apart.high - apart.low < 0.01
    assert mixed.high - mixed.low > 0.1


def test_the_same_data_give_the_same_verdict() -> None:
    assert trials([1, 1.1], 0.1, count=3) == trials([1, 1.1], 0.1, count=3)


@pytest.mark.parametrize("cv", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("models", [2, 8])
def test_equal_models_have_a_false_winner_in_at_most_one_percent_of_trials(models: int, cv: float) -> None:
    verdicts = trials([1.0] * models, cv)
    assert share(verdicts, "wins") <= 0.01
    assert sum(bool(v.slower) for v in verdicts) / TRIALS <= 0.05


@pytest.mark.parametrize(
    ("cv", "rounds", "shared"),
    [(0.02, 24, 0.5), (0.1, 24, 0.0), (0.1, 24, 0.5), (0.1, 24, 0.8), (0.3, 24, 0.0), (0.3, 24, 0.5), (0.1, 12, 0.5), (0.1, 36, 0.5)],
)
def test_intervals_hold_the_true_ratio_in_92_to_97_percent_of_trials(cv: float, rounds: int, shared: float) -> None:
    generator = np.random.default_rng(12)
    true = np.log(1.7)
    logs = log_noise(generator, (TRIALS, rounds, 2), cv, shared) + [0.0, true]
    bounds = [statistics._paired(trial[:, 1] - trial[:, 0], (0,) * rounds) for trial in logs]
    assert 0.92 <= sum(b.low <= true <= b.high for b in bounds) / TRIALS <= 0.97


def test_three_equal_models_beside_five_twice_as_slow_are_a_tie_of_three() -> None:
    verdicts = trials([1.0] * 3 + [2.0] * 5, 0.02, count=300)
    right = sum(v.kind == "tie" and set(v.best_set) == {"m0", "m1", "m2"} for v in verdicts)
    assert right / len(verdicts) >= 0.9


def test_a_winner_by_half_is_named_at_ten_percent_noise() -> None:
    verdicts = trials([1.0] + [1.5] * 7, 0.1, count=300)
    assert sum(v.kind == "wins" and v.best == "m0" for v in verdicts) / len(verdicts) >= 0.9

"""What a case says after each look, on rounds with known answers. How often it is wrong: test_error_rates.py."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from verdicts import statistics
from verdicts.deciding import WIDEST, Verdict, decide, fastest
from verdicts.statistics import MARGIN, Series
from vocabulary.looks import LOOKS, MEMORY_LOOKS, looks_of

Values = Mapping[str, Series]


@pytest.fixture(autouse=True)
def processes_are_known_to_be_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is allowed for processes that were not seen is no matter of the looks: test_statistics_of_cases.py."""
    monkeypatch.setattr(statistics, "_UNSEEN", 0.0)


def rounds_of(value: float, rounds: Iterable[int] = range(6), noise: float = 0.0) -> Series:
    """The value in every round, by turns that much above and below it."""
    return Series({r: value * math.exp(noise * (-1) ** r) for r in rounds})


def steady(count: int = 6, **values: float) -> dict[str, Series]:
    return {name: rounds_of(value, range(count)) for name, value in values.items()}


def noisy(ratio: float, noise: float, count: int = 6) -> dict[str, Series]:
    """Two models; in the second one's rounds is noise."""
    return {"a": rounds_of(100, range(count)), "b": rounds_of(100 * ratio, range(count), noise)}


def said(values: Values, **options: Any) -> Verdict:
    return decide(values, set(values), **options)


def joined(first: Series, second: Series) -> Series:
    return Series({**first.values, **second.values}, {**first.process, **second.process})


def test_the_only_model_that_is_not_slower_wins() -> None:
    verdict = said(steady(a=100, b=106, c=300))
    assert (verdict.kind, verdict.best_set, verdict.slower) == ("wins", ("a",), ("b", "c"))
    assert (verdict.eliminated, verdict.rounds, verdict.looks) == ({"b": 6, "c": 6}, 6, 1)
    assert (verdict.safe_choice, verdict.regret, verdict.decided, verdict.finished) == ("a", 0.0, True, True)
    assert verdict.ratios["c"].low == pytest.approx(3)


def test_a_model_that_leads_by_less_than_the_margin_is_ahead() -> None:
    verdict = said(steady(b=103, a=100, c=200))
    assert (verdict.kind, verdict.best_set, verdict.slower) == ("ahead", ("a", "b"), ("c",))
    assert verdict.within == pytest.approx(0.03)
    assert (verdict.decided, verdict.finished) == (True, True)


def test_models_shown_to_be_within_the_margin_tie_and_the_rest_is_slower() -> None:
    verdict = said(noisy(1.0, 0.005) | steady(c=110))
    assert (verdict.kind, set(verdict.best_set), verdict.slower) == ("tie", {"a", "b"}, ("c",))
    assert verdict.within is not None and 0 < verdict.within < MARGIN - 1
    assert (verdict.decided, verdict.finished) == (True, True)


def test_a_wider_tie_says_how_wide_and_goes_on() -> None:
    verdict = said(noisy(1.0, 0.018))
    assert verdict.kind == "tie_within"
    assert verdict.within is not None and MARGIN - 1 < verdict.within <= WIDEST
    assert (verdict.decided, verdict.finished) == (True, False)


def test_where_no_tie_is_narrow_enough_the_safe_choice_is_named_with_what_it_can_cost() -> None:
    verdict = said(noisy(1.08, 0.022))
    assert (verdict.kind, verdict.safe_choice) == ("safe_choice", "a")
    assert verdict.within is not None and verdict.within > WIDEST
    assert verdict.regret is not None and 0 < verdict.regret <= WIDEST
    assert (verdict.decided, verdict.finished) == (False, False)


def test_the_safe_choice_is_not_always_the_best_of_the_estimates() -> None:
    """The fastest was never measured beside one of its rivals, so that it might be far behind that one."""
    values = {"early": rounds_of(99), "always": rounds_of(100, range(12), 0.01), "late": rounds_of(100, range(6, 12))}
    verdict = said(values)
    assert (verdict.kind, verdict.best, verdict.safe_choice) == ("safe_choice", "early", "always")
    assert verdict.regret is not None and verdict.regret < 0.1 and verdict.within is None


def test_noise_beyond_every_use_leaves_the_case_open() -> None:
    verdict = said(noisy(1.0, 0.3))
    assert (verdict.kind, set(verdict.best_set), verdict.decided, verdict.finished) == (
        "open",
        {"a", "b"},
        False,
        False,
    )
    assert verdict.regret is not None and verdict.regret > WIDEST


def test_all_models_at_the_least_possible_time_tie_whatever_their_noise() -> None:
    delayed = {0: 180.0, 1: 160.0}
    values = {
        name: joined(rounds_of(value), Series({r + shift: late for r, late in delayed.items()}))
        for name, value, shift in (("a", 100.5, 0), ("b", 101.5, 3))
    }
    assert said(values).kind != "tie"
    assert said(values, bound=100).kind == "tie"
    assert said(values, bound=99).kind != "tie"  # 101.5 is more than 2 % beyond it
    assert said(values, bound=0).kind != "tie"


def test_nothing_is_decided_between_two_looks_while_a_run_goes_on() -> None:
    whole = noisy(1.02, 0.05, 24) | steady(24, c=300)
    for count, look in ((7, 6), (11, 6), (13, 12), (23, 12)):
        between, at = (
            said(
                {name: Series({r: one.values[r] for r in range(end)}, one.process) for name, one in whole.items()},
                under_way=True,
            )
            for end in (count, look)
        )
        assert between == at, count


def test_when_a_run_has_ended_all_rounds_that_there_are_are_looked_at() -> None:
    whole = noisy(1.15, 0.08, 23)
    first, ended = said(whole, under_way=True), said(whole)
    assert (first.kind, first.rounds, first.looks) == ("safe_choice", 12, 2)
    assert (ended.kind, ended.rounds, ended.looks) == ("ahead", 23, 3), "it says more than the look before"
    assert said(steady(7, a=100, b=200)).rounds == 6, "what is finished is not looked at again"
    assert said(noisy(1.15, 0.08, 5)).kind == "none", "fewer rounds than the first look wants are none"


def test_a_case_that_later_rounds_have_opened_is_not_closed_by_what_there_is() -> None:
    for later in (2, 3, 5):
        assert said(turned(later)).reason == "later rounds contradict it: b"


def test_a_model_that_is_out_needs_no_more_rounds() -> None:
    values = {
        "a": rounds_of(100, range(48)),
        "b": rounds_of(101, range(48), 0.1),
        "out": rounds_of(300, range(6)),
        "later": rounds_of(150, range(12), 0.08),
    }
    verdict = said(values)
    assert verdict.eliminated == {"out": 6, "later": 12}
    assert (verdict.slower, verdict.rounds, verdict.looks) == (("later", "out"), 48, 4)
    assert set(verdict.best_set) == {"a", "b"}


def test_a_finished_case_is_not_looked_at_again() -> None:
    verdict = said(steady(50, a=100, b=200))
    assert (verdict.kind, verdict.rounds, verdict.looks) == ("wins", 6, 1)


def test_the_last_look_is_the_last_however_many_rounds_there_are() -> None:
    verdict = said(noisy(1.0, 0.9, LOOKS[-1] + 8))
    assert (verdict.rounds, verdict.looks) == (LOOKS[-1], len(LOOKS))


def turned(later: int, before: float = 2.0, after: float = 0.5) -> dict[str, Series]:
    """b takes twice as long for six rounds, and half as long in those after them."""
    b = joined(rounds_of(100 * before), rounds_of(100 * after, range(6, 6 + later)))
    return {"a": rounds_of(100, range(6 + later)), "b": b}


def test_later_rounds_that_contradict_open_the_case_until_a_look_closes_it() -> None:
    assert said(turned(1)).finished  # one round is chance
    opened = said(turned(2))
    assert (opened.kind, set(opened.best_set), opened.slower, opened.finished) == ("open", {"a", "b"}, (), False)
    assert "later rounds contradict it: b" in opened.reason
    assert said(turned(6)).kind == "open"
    closed = said(turned(18))
    assert (closed.kind, closed.best_set, closed.rounds, closed.reason) == ("wins", ("b",), 24, "")


@pytest.mark.parametrize("before", ["ahead", "tie"])
def test_later_rounds_may_contradict_a_lead_and_a_tie_as_well(before: str) -> None:
    ratio = {"ahead": 1.03, "tie": 1.0}[before]
    assert said(turned(0, ratio)).kind == before
    assert "b" in said(turned(2, ratio, 0.7)).reason


def test_later_rounds_that_agree_change_nothing() -> None:
    assert said(turned(5, 2.0, 1.9)) == said(turned(0))


def test_the_ratio_beside_a_verdict_is_that_of_its_look_whatever_a_few_later_rounds_do_to_its_interval() -> None:
    """As measured: sleepers 100,000. Every round says over 1.6×, but the process of the last two is far slower, and the
    interval of all eight contains 1."""
    loop = Series(dict(enumerate((112.0, 112, 112, 126, 112, 113, 112, 111))), {r: r // 6 for r in range(8)})
    fibers = Series(dict(enumerate((337.0, 190, 196, 202, 194, 197, 329, 324))), {r: r // 6 for r in range(8)})
    everything = statistics.pair(fibers, loop)
    assert everything is not None and everything.low < 0 < everything.value
    verdict = said({"event_loop": loop, "fibers": fibers})
    ratio = verdict.ratios["fibers"]
    assert (verdict.kind, verdict.rounds, verdict.eliminated) == ("wins", 6, {"fibers": 6})
    assert ratio.low is not None and ratio.low > MARGIN


def test_a_model_that_was_out_comes_back_where_a_later_look_no_longer_says_that_it_is_slower() -> None:
    """It is measured on for another metric."""
    b = joined(rounds_of(130, range(6)), rounds_of(100, range(6, 24), 0.2))
    values = {"a": rounds_of(100, range(24)), "b": b, "c": rounds_of(101, range(24), 0.1)}
    first, last = (
        said({name: Series({r: v for r, v in one.values.items() if r < end}) for name, one in values.items()})
        for end in (6, 24)
    )
    assert "b" in first.slower
    assert "b" in last.best_set and "b" not in last.eliminated and not last.finished


def test_no_verdict_stands_beside_an_interval_that_contradicts_it() -> None:
    generator = np.random.default_rng(3)
    for _ in range(400):
        found = said(wild(generator))
        margins = dict.fromkeys(found.slower, MARGIN) | (
            dict.fromkeys(found.best_set[1:], 1.0) if found.kind == "ahead" else {}
        )
        lows = {name: ratio.low for name in margins if (ratio := found.ratios.get(name))}
        assert found.reason or all(low is None or low > margins[name] for name, low in lows.items()), found


def test_fewer_rounds_than_the_first_look_give_ratios_and_no_verdict() -> None:
    verdict = said(steady(5, a=1, b=9))
    assert (verdict.kind, verdict.best_set, verdict.rounds, verdict.reason) == ("none", (), 5, "5 of at least 6 rounds")
    assert verdict.ratios["b"].value == pytest.approx(9)
    assert verdict.ratios["b"].low is None


def test_nothing_measured_is_no_verdict() -> None:
    assert decide({}, {"a"}).reason == "nothing was measured"
    assert decide({"a": Series({})}, {"a"}).reason == "nothing was measured"
    assert decide(steady(variant=1), {"a"}).reason == "no competing model was measured"


def test_a_model_without_a_rival_does_not_win() -> None:
    verdict = said(steady(a=1))
    assert (verdict.kind, verdict.best_set, verdict.reason, verdict.finished) == (
        "none",
        ("a",),
        "no rival was measured",
        True,
    )


def test_a_variant_outside_the_competition_gets_a_ratio_and_no_place() -> None:
    verdict = decide(steady(a=100, b=200, variant=50), {"a", "b"})
    assert (verdict.kind, verdict.best_set, verdict.slower) == ("wins", ("a",), ("b",))
    assert verdict.ratios["variant"].high == pytest.approx(0.5)


def test_a_model_known_to_be_slower_loses_without_an_interval() -> None:
    values = steady(a=100, b=110) | {"stopped": Series({0: 900.0, 1: 800.0, 2: 850.0})}
    verdict = said(values, known_slower={"stopped", "b"})
    assert (verdict.kind, verdict.best_set, verdict.slower) == ("wins", ("a",), ("b", "stopped"))
    assert verdict.ratios["stopped"].low is None
    unmeasured = decide(steady(a=100), {"a", "projected"}, known_slower={"projected"})
    assert (unmeasured.kind, unmeasured.slower) == ("wins", ("projected",))


def test_a_model_with_few_rounds_stays_in_the_set_unless_it_is_clearly_slower() -> None:
    near = said(steady(a=100, b=200) | {"few": Series({0: 105.0, 1: 99.0, 2: 101.0})})
    assert (near.kind, set(near.best_set), near.slower) == ("open", {"a", "few"}, ("b",))
    assert near.ratios["few"].low is None
    far = said(steady(a=100, b=200) | {"few": Series({0: 160.0, 1: 170.0, 2: 155.0})})
    assert (far.kind, far.slower) == ("wins", ("few", "b"))


def test_memory_is_looked_at_from_three_rounds_on() -> None:
    assert (looks_of("memory"), looks_of("time"), looks_of("cpu")) == (MEMORY_LOOKS, LOOKS, LOOKS)
    values = steady(3, a=100, b=200)
    assert said(values, looks=MEMORY_LOOKS).kind == "wins"
    assert said(values).kind == "none"


def test_the_fastest_is_who_leads_within_rounds_not_who_has_the_lowest_median() -> None:
    slow = {r: 1.0 + r for r in range(7)}
    other = {r: 0.9 * value for r, value in slow.items() if r > 0}
    assert fastest({"a": Series(slow), "b": Series(other)}, 6) == "b"
    assert fastest({"a": Series({0: 1.0}), "b": Series({0: 2.0})}, 6) == "a"


def wild(generator: np.random.Generator) -> dict[str, Series]:
    """Up to six models of any speed, with rounds missing and processes of any length."""
    spread = generator.choice([0.0, 0.02, 0.3, 5.0])
    count = int(generator.integers(0, 60))
    found = {}
    for name in "abcdef"[: generator.integers(0, 7)]:
        logs = generator.choice([0.0, 0.03, 3.0]) + spread * generator.standard_normal(count)
        kept = generator.random(count) < generator.choice([0.2, 0.9, 1.0])
        found[name] = Series(
            {r: float(np.exp(logs[r])) for r in range(count) if kept[r]},
            {r: r // int(generator.integers(1, 9)) for r in range(count)},
        )
    return found


def test_whatever_was_measured_the_parts_of_a_verdict_agree_and_the_order_of_models_does_not_matter() -> None:
    generator = np.random.default_rng(17)
    for _ in range(400):
        values = wild(generator)
        competing, known = (set(generator.choice(list("abcdef"), size, replace=False).tolist()) for size in (5, 1))
        looks = LOOKS if generator.random() < 0.7 else MEMORY_LOOKS
        under_way = bool(generator.random() < 0.5)
        found = decide(values, competing, known_slower=known, looks=looks, under_way=under_way)
        assert found == decide(
            dict(reversed(values.items())), competing, known_slower=known, looks=looks, under_way=under_way
        )
        assert not set(found.best_set) & set(found.slower)
        assert set(found.best_set) | set(found.slower) <= competing
        assert set(found.eliminated) <= set(found.slower)
        assert found.safe_choice is None or found.safe_choice in found.best_set
        assert (len(found.best_set) == 1) == (found.kind == "wins") or found.kind == "none"
        assert bool(found.reason) == (found.kind == "none") or found.kind == "open"
        assert found.rounds in looks or found.kind in ("none", "wins") or not under_way

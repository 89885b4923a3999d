"""A/A twins and disturbed rounds: what makes a reader doubt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reports.analysis.aa_control import aa_pairs
from reports.cases.cases import analyse
from reports.cases.read import parse_run
from reports.cases.run import Run
from reports.text import trust
from reports.text.closing import closing
from reports.text.limits import limits
from tests.reports import synthetic
from verdicts import aa_control
from verdicts.deciding import Verdict, decide, settle
from verdicts.statistics import Series


def with_twin(factor: float, rounds: int = 24, **parts: Any) -> Run:
    values = {"event_loop": (1e6, 1e6), "event_loop_twin": (factor * 1e6, factor * 1e6), "fibers": (2e6, 2e6)}
    cells = synthetic.measured(values, "fib", {"n": 20}, rounds, 0.02, 1)
    raw = synthetic.run(list(values), [{"id": "fib", "class": "cpu"}], cells, **parts)
    raw["models"][1]["twin_of"] = "event_loop"
    return parse_run(raw, "x")


def with_twins(apart: int, of: int = 6) -> Run:
    """Of so many cases those in which the twin takes a fifth more time; each is compared by time and by CPU cost."""
    cells = []
    for n in range(of):
        values = {"event_loop": (1e6, 1e6), "event_loop_twin": (1.2e6 if n < apart else 1e6, 1e6)}
        cells += synthetic.measured(values, "fib", {"n": n}, 24, 0.01, n)
    raw = synthetic.run(["event_loop", "event_loop_twin"], [{"id": "fib", "class": "cpu"}], cells)
    raw["models"][1]["twin_of"] = "event_loop"
    return parse_run(raw, "x")


def fact(run: Run, *names: str) -> trust.Fact:
    return next(fact for fact in trust.facts(analyse(run)) if fact.name in names)


def test_twins_stand_outside_the_verdicts_and_the_tables() -> None:
    run = with_twin(0.5)
    assert {model.id for model in run.models} == {cell.model for cell in run.cells} == {"event_loop", "fibers"}
    (case,) = analyse(run).cases
    assert (case.verdicts["time"].kind, case.verdicts["time"].best_set) == ("wins", ("event_loop",))


def test_twins_that_agree_are_told_with_their_deviation() -> None:
    told = fact(with_twin(1.0), "A/A control", "Not trustworthy")
    assert (told.name, told.warns) == ("A/A control", False)
    assert told.value.startswith(
        "2 comparisons of a model with itself: 0 false alarms, 0.02 expected by chance; noise floor: "
    )


def test_twins_that_differ_beyond_the_margin_stamp_the_run() -> None:
    for factor in (1.2, 0.8):
        run = with_twin(factor)
        told = fact(run, "A/A control", "Not trustworthy")
        assert (told.name, told.warns) == ("Not trustworthy", True)
        assert "2 false alarms, 0.02 expected by chance" in told.value
        assert "event_loop and its twin differ by 2" in told.value
        assert limits(analyse(run))[0].startswith("Whether small differences are real: 2 of 2 comparisons")
        assert closing(analyse(run))[-1].startswith("! Not trustworthy: 2 comparisons")
    # of too few processes to tell so little
    assert not fact(with_twin(1.03, rounds=12), "A/A control", "Not trustworthy").warns


def test_as_many_false_alarms_as_chance_explains_are_told_and_stamp_nothing() -> None:
    run = with_twins(apart=1)
    told = fact(run, "A/A control", "Not trustworthy")
    assert (told.name, told.warns) == ("A/A control", False)
    assert told.value.startswith("12 comparisons of a model with itself: 1 false alarm, 0.12 expected by chance")
    assert not any("with itself" in line for line in limits(analyse(run)))
    assert (
        closing(analyse(run))[-1]
        == "A/A control: 12 comparisons of a model with itself, 1 false alarm, 0.12 expected by chance"
    )
    assert fact(with_twins(apart=2), "A/A control", "Not trustworthy").name == "Not trustworthy"


def test_a_run_without_twins_or_with_too_few_rounds_says_that_it_has_no_control() -> None:
    assert fact(with_twin(9, rounds=5), "A/A control").value == "none in this run"


@pytest.mark.parametrize(
    ("cv", "pairs", "rounds"),
    [(0.02, 12, 24), (0.1, 12, 24), (0.3, 12, 24), (0.02, 68, 36), (0.1, 68, 36), (0.3, 68, 36)],
)
def test_equal_twins_stamp_few_sound_runs(cv: float, pairs: int, rounds: int) -> None:
    """As many comparisons as quick and full make."""
    generator = np.random.default_rng(8)
    runs = 100
    logs = synthetic.log_noise(generator, (runs, pairs, rounds, 2), cv)
    stamped = 0
    for run in range(runs):
        alarms = 0
        for pair in range(pairs):
            both = {
                name: Series(dict(enumerate(np.exp(logs[run, pair, :, side]))))
                for side, name in enumerate(("model", "twin"))
            }
            alarms += aa_control.Pair("model", "case", "time", decide(both, both.keys())).apart
        stamped += aa_control.distrusted(pairs, alarms)
    assert stamped / runs <= 0.05


def verdict(kind: Any, best: tuple[str, ...], slower: tuple[str, ...]) -> Verdict:
    return Verdict(kind, best, slower, {}, 24)


CONTRADICTIONS = [
    (verdict("wins", ("a",), ("b",)), verdict("wins", ("b",), ("a",)), ("a", "b")),
    (verdict("wins", ("a",), ("b", "c")), verdict("tie", ("a", "b"), ("c",)), ("a", "b")),
    (verdict("tie", ("a", "b"), ()), verdict("wins", ("a",), ("b",)), ("a", "b")),
    (verdict("tie_within", ("a", "b"), ()), verdict("ahead", ("a",), ("b",)), ("a", "b")),
    (verdict("wins", ("a",), ("b", "c")), verdict("open", ("b", "c"), ("a",)), ("a", "b", "c")),
]
AGREEMENTS = [
    (verdict("wins", ("a",), ("b",)), verdict("wins", ("a",), ("b",))),
    (verdict("wins", ("a",), ("b",)), verdict("open", ("a", "b"), ())),  # fewer rounds show less
    (verdict("wins", ("a",), ("b",)), verdict("safe_choice", ("a", "b"), ())),
    (verdict("wins", ("a",), ("b",)), verdict("none", (), ())),
    (verdict("open", ("a", "b"), ()), verdict("wins", ("a",), ("b",))),  # what all rounds leave open stays open
]


@pytest.mark.parametrize(("everything", "quiet", "members"), CONTRADICTIONS)
def test_a_verdict_that_the_quiet_rounds_contradict_is_open(
    everything: Verdict, quiet: Verdict, members: tuple[str, ...]
) -> None:
    settled = settle(everything, quiet)
    assert (settled.kind, settled.best_set) == ("open", members)
    assert not set(settled.slower) & set(members)


@pytest.mark.parametrize(("everything", "quiet"), AGREEMENTS)
def test_otherwise_the_verdict_on_all_rounds_stands(everything: Verdict, quiet: Verdict) -> None:
    assert settle(everything, quiet) is everything


def test_disturbed_rounds_of_a_run_open_a_verdict_that_rests_on_them() -> None:
    """In the disturbed rounds fibers seem slow; in the quiet ones they win."""
    rounds = 30
    cells = [synthetic.cell(model, "fib", {"n": 20}) for model in ("event_loop", "fibers")]
    for cell, walls in zip(cells, ((1e6, 1e6), (0.8e6, 3e6)), strict=True):
        cell["samples"] = [synthetic.sample(r, 0, walls[r % 5 > 0] * (1 + 0.001 * (r % 3)), 1e6) for r in range(rounds)]
    visits = [
        {"round": r, "case": "fib/n:20", "wall_ns": 1, "foreign_share": 0.0, "steal_share": 0.0, "noisy": r % 5 > 0}
        for r in range(rounds)
    ]
    raw = synthetic.run(["event_loop", "fibers"], [{"id": "fib", "class": "cpu"}], cells, visits=visits)
    assert analyse(parse_run(raw, "x")).cases[0].verdicts["time"].kind == "open"
    without_marks = synthetic.run(["event_loop", "fibers"], [{"id": "fib", "class": "cpu"}], cells)
    assert analyse(parse_run(without_marks, "x")).cases[0].verdicts["time"].best_set == ("event_loop",)


def test_much_disturbance_is_told() -> None:
    quiet = {
        "load_start": 0.1,
        "load_end": 0.1,
        "driver_cpu_share": 0.01,
        "warnings": [],
        "noisy_share": 0.05,
        "grade": "A",
    }
    assert not fact(with_twin(1.0, noise=quiet), "Disturbed").warns
    assert fact(with_twin(1.0, noise=quiet | {"noisy_share": 0.6, "grade": "D"}), "Disturbed").warns
    assert aa_pairs(with_twin(1.0))[0].case == "fib/n:20"


def test_the_strip_has_quartiles_of_rounds_and_of_regret_and_not_their_maximum() -> None:
    cells = []
    for n, (rounds, factor) in enumerate(((6, 2.0), (6, 2.0), (12, 1.001), (48, 1.001), (6, 2.0))):
        cells += synthetic.measured(
            {"fibers": (1e6, 1e6), "thread_pool": (factor * 1e6, 1e6)}, "fib", {"n": n}, rounds, 0.01, n
        )
    run = parse_run(synthetic.run(["fibers", "thread_pool"], [{"id": "fib", "class": "cpu"}], cells), "x")
    told = fact(run, "Rounds of a case")
    assert told.value == "median 6, middle half 6 to 12 (5 cases); 1 process per model"
    assert not told.warns
    regret = fact(run, "Safe choices").value
    assert regret.startswith("at most 0 % from the best in the median case, middle half 0 % to ") and regret.endswith(
        " % (5 cases)"
    )


def test_a_case_that_nothing_bounds_is_told_in_the_strip() -> None:
    few = fact(with_twin(1.0, rounds=5), "Rounds of a case")
    assert few.value.startswith("median 5") and few.warns
    assert fact(with_twin(1.0, rounds=5), "Safe choices").value == "none"

"""A/A twins and disturbed rounds: what makes a reader doubt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reports import control, statistics, trust
from reports.analysis import analyse
from reports.read import parse_run
from reports.run import Run
from reports.statistics import Verdict, settle
from tests.reports import synthetic


def with_twin(factor: float, rounds: int = 24, **parts: Any) -> Run:
    values = {"event_loop": (1e6, 1e6), "event_loop_twin": (factor * 1e6, factor * 1e6), "fibers": (2e6, 2e6)}
    cells = synthetic.measured(values, "fib", {"n": 20}, rounds, 0.02, 1)
    raw = synthetic.run(list(values), [{"id": "fib", "class": "cpu"}], cells, **parts)
    raw["models"][1]["twin_of"] = "event_loop"
    return parse_run(raw, "x")


def fact(run: Run, *names: str) -> trust.Fact:
    return next(fact for fact in trust.facts(analyse(run)) if fact.name in names)


def test_twins_stand_outside_the_verdicts_and_the_tables() -> None:
    run = with_twin(0.5)
    assert {model.id for model in run.models} == {cell.model for cell in run.cells} == {"event_loop", "fibers"}
    (case,) = analyse(run).cases
    assert (case.verdicts["time"].kind, case.verdicts["time"].best_set) == ("wins", ("event_loop",))


def test_twins_that_agree_are_told_with_their_largest_deviation() -> None:
    told = fact(with_twin(1.0), "A/A control", "Not trustworthy")
    assert (told.name, told.warns) == ("A/A control", False)
    assert told.value.startswith("2 comparisons of a model with itself found no difference")


def test_twins_that_differ_beyond_the_margin_stamp_the_run() -> None:
    for factor in (1.2, 0.8):
        told = fact(with_twin(factor), "A/A control", "Not trustworthy")
        assert (told.name, told.warns) == ("Not trustworthy", True)
        assert "event_loop and its twin differ by" in told.value
    assert not fact(with_twin(1.03), "A/A control", "Not trustworthy").warns


def test_a_run_without_twins_or_with_too_few_rounds_says_that_it_has_no_control() -> None:
    assert fact(with_twin(9, rounds=5), "A/A control").value == "none in this run"


@pytest.mark.parametrize(("cv", "pairs", "rounds"), [(0.02, 12, 24), (0.1, 12, 24), (0.3, 12, 24), (0.02, 68, 36), (0.1, 68, 36), (0.3, 68, 36)])
def test_equal_twins_stamp_few_sound_runs(cv: float, pairs: int, rounds: int) -> None:
    """As many comparisons as quick and full make."""
    generator = np.random.default_rng(8)
    runs = 100
    logs = synthetic.log_noise(generator, (runs, pairs, rounds, 2), cv)
    stamped = 0
    for run in range(runs):
        bounds = [statistics._paired(logs[run, pair, :, 1] - logs[run, pair, :, 0], (0,) * rounds) for pair in range(pairs)]
        stamped += any(one.beyond(statistics.MARGIN) for one in bounds)
    assert stamped / runs <= 0.05


def verdict(kind: Any, best: tuple[str, ...], slower: tuple[str, ...]) -> Verdict:
    return Verdict(kind, best, slower, {}, 24)


CONTRADICTIONS = [
    (verdict("wins", ("a",), ("b",)), verdict("wins", ("b",), ("a",)), ("a", "b")),
    (verdict("wins", ("a",), ("b", "c")), verdict("tie", ("a", "b"), ("c",)), ("a", "b")),
    (verdict("tie", ("a", "b"), ()), verdict("wins", ("a",), ("b",)), ("a", "b")),
    (verdict("wins", ("a",), ("b", "c")), verdict("unresolved", ("b", "c"), ("a",)), ("a", "b", "c")),
]
AGREEMENTS = [
    (verdict("wins", ("a",), ("b",)), verdict("wins", ("a",), ("b",))),
    (verdict("wins", ("a",), ("b",)), verdict("unresolved", ("a", "b"), ())),  # fewer rounds show less
    (verdict("wins", ("a",), ("b",)), verdict("none", (), ())),
    (verdict("unresolved", ("a", "b"), ()), verdict("wins", ("a",), ("b",))),  # what all rounds leave open stays open
]


@pytest.mark.parametrize(("everything", "quiet", "members"), CONTRADICTIONS)
def test_a_verdict_that_the_quiet_rounds_contradict_is_open(everything: Verdict, quiet: Verdict, members: tuple[str, ...]) -> None:
    settled = settle(everything, quiet)
    assert (settled.kind, settled.best_set) == ("unresolved", members)
    assert not set(settled.slower) & set(members)


@pytest.mark.parametrize(("everything", "quiet"), AGREEMENTS)
def test_otherwise_the_verdict_on_all_rounds_stands(everything: Verdict, quiet: Verdict) -> None:
    assert settle(everything, quiet) is everything


def test_disturbed_rounds_of_a_run_open_a_verdict_that_rests_on_them() -> None:
    """In the disturbed rounds fibers seem slow; in the quiet ones they win."""
    rounds = 30
    cells = [synthetic.cell(model, "fib", {"n": 20}) for model in ("event_loop", "fibers")]
    for cell, walls in zip(cells, ((1e6, 1e6), (0.8e6, 3e6)), strict=True):
        cell["samples"] = [synthetic.sample(r, 0, walls[r >= 10] * (1 + 0.001 * (r % 3)), 1e6) for r in range(rounds)]
    visits = [{"round": r, "case": "fib/n:20", "wall_ns": 1, "foreign_share": 0.0, "steal_share": 0.0, "noisy": r >= 10} for r in range(rounds)]
    raw = synthetic.run(["event_loop", "fibers"], [{"id": "fib", "class": "cpu"}], cells, visits=visits)
    assert analyse(parse_run(raw, "x")).cases[0].verdicts["time"].kind == "unresolved"
    without_marks = synthetic.run(["event_loop", "fibers"], [{"id": "fib", "class": "cpu"}], cells)
    assert analyse(parse_run(without_marks, "x")).cases[0].verdicts["time"].best_set == ("event_loop",)


def test_much_disturbance_is_told() -> None:
    quiet = {"load_start": 0.1, "load_end": 0.1, "driver_cpu_share": 0.01, "warnings": [], "noisy_share": 0.05, "grade": "A"}
    assert not fact(with_twin(1.0, noise=quiet), "Disturbed").warns
    assert fact(with_twin(1.0, noise=quiet | {"noisy_share": 0.6, "grade": "D"}), "Disturbed").warns
    assert control.pairs(with_twin(1.0))[0].case == "fib/n:20"

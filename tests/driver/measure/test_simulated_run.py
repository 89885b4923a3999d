"""A full run in virtual time, with the noise of a real one: what is decided at its end, where its time goes, and what
an interruption changes."""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache

import pytest
from verdicts.deciding import Verdict

from driver.prepare.plan import first_rounds
from driver.session.cells import Cell
from driver.session.preset import FULL, SECOND
from tests.driver.measure.simulated import Journal, SimulatedSession, load, simulate, truth, verdicts
from vocabulary.looks import LEAST_ROUNDS

_DECIDED = 0.1  # a tie within more, or more regret, is no answer


@lru_cache(maxsize=8)
def run(seed: int) -> SimulatedSession:
    session = SimulatedSession(load(), seed)
    assert simulate(session) in ("time budget", "all rounds done", "all cases are decided")
    return session


def in_words(verdict: Verdict) -> bool:
    return verdict.kind in ("wins", "ahead", "tie") or (
        verdict.kind == "tie_within" and (verdict.within or 0) <= _DECIDED
    )


def has_an_answer(verdict: Verdict) -> bool:
    return in_words(verdict) or (verdict.regret is not None and verdict.regret <= _DECIDED)


def deciding(session: SimulatedSession) -> dict[str, tuple[str, Verdict]]:
    """Of every case in which models compete: the metric that decides it, and the verdict."""
    metrics = {case["name"]: case["metric"] for case in load()["cases"]}
    found = {name: (metrics[name], of_case[metrics[name]]) for name, of_case in verdicts(session).items()}
    return {name: (metric, verdict) for name, (metric, verdict) in found.items() if verdict.kind != "none"}


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def is_wrong(name: str, metric: str, verdict: Verdict) -> bool:
    """A winner, and a model that competes with it is no slower, or not by the 5 % that winning says."""
    if verdict.kind not in ("wins", "ahead") or verdict.best is None:
        return False
    (case,) = (case for case in load()["cases"] if case["name"] == name)
    rivals = [
        cell["model"]
        for cell in case["cells"]
        if cell["role"] == "competes"
        and cell["model"] != verdict.best
        and cell["rounds"] != [0]
        and metric in cell["values"]
    ]
    return any(
        truth(case, metric, rival, verdict.best) < (math.log(1.05) if verdict.kind == "wins" else 0) for rival in rivals
    )


def test_nearly_all_cases_have_an_answer_at_the_end() -> None:
    found = [verdict for seed in (1, 2, 3) for _, verdict in deciding(run(seed)).values()]
    assert len(found) > 3 * 80
    assert share([has_an_answer(verdict) for verdict in found]) >= 0.85


def test_most_of_the_time_goes_into_rounds_and_hardly_anything_is_left_out() -> None:
    session = run(1)
    assert session.in_visits_ns >= 470 * SECOND
    assert sum(cell.state.status == "not_run" for cell in session.cells) <= 30
    assert 0 <= session.left_ns() + SECOND < 30 * SECOND, "none is left over, and no more is spent than there is"


def test_every_case_has_its_first_rounds_in_whatever_competes() -> None:
    session = run(1)
    for cell in session.cells:
        if cell.state.waits and not cell.shown_only:
            assert len(cell.state.samples) >= first_rounds(cell), cell.id
        elif cell.state.waits and cell.state.samples:
            assert len(cell.state.samples) <= LEAST_ROUNDS, f"{cell.id} is only shown"


@pytest.mark.slow
def test_of_the_winners_that_are_named_hardly_any_is_wrong() -> None:
    wrong = [
        is_wrong(name, metric, verdict)
        for seed in range(1, 6)
        for name, (metric, verdict) in deciding(run(seed)).items()
    ]
    assert share(wrong) <= 0.01


def rounds_of(cell: Cell) -> list[int]:
    return [sample["round"] for sample in cell.state.samples]


@pytest.mark.parametrize("samples", [1, 500, 2500, 6000])
def test_a_run_that_was_interrupted_amid_a_look_takes_what_is_missing_and_reaches_it(samples: int) -> None:
    journal = Journal(most_samples=samples)
    first = SimulatedSession(load(), 1, journal=journal)
    assert simulate(first) == "interrupted"
    assert journal.samples == samples
    before = {cell.id: rounds_of(cell) for cell in first.cells}
    second = SimulatedSession(load(), 1, events=journal.events)
    assert {cell.id: rounds_of(cell) for cell in second.cells} == before
    simulate(second)
    for cell in second.cells:
        rounds = rounds_of(cell)
        assert rounds[: len(before[cell.id])] == before[cell.id]
        assert rounds == sorted(set(rounds)), f"a round of {cell.id} was taken twice"
        assert all(number < second.record.visited[cell.case.name] + 1 for number in rounds)
    visits = Counter((visit["case"], visit["round"]) for visit in second.record.visits)
    assert set(visits.values()) == {1}
    for case, visited in second.record.visited.items():
        assert {number for name, number in visits if name == case} == set(range(visited))
    assert share([has_an_answer(verdict) for _, verdict in deciding(second).values()]) >= 0.85


def test_the_same_seed_draws_the_same_run_again() -> None:
    again = SimulatedSession(load(), 1)
    simulate(again)
    assert {cell.id: rounds_of(cell) for cell in again.cells} == {cell.id: rounds_of(cell) for cell in run(1).cells}


def test_less_time_decides_less_but_leaves_no_case_without_its_first_rounds() -> None:
    short = SimulatedSession(load(), 1, preset=FULL.with_budget(FULL.budget_ns // 2))
    simulate(short)
    assert (
        min(
            short.record.visited[case]
            for case in {cell.case.name for cell in short.cells if cell.state.waits and not cell.shown_only}
        )
        >= 3
    )
    answers = [sum(has_an_answer(verdict) for _, verdict in deciding(session).values()) for session in (short, run(1))]
    assert answers[0] <= answers[1]

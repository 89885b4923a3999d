"""Disturbance is judged by what went on outside, never by a sample's own value."""

from __future__ import annotations

import os
import time

from driver.machine.noise import Instant, VisitJudge, Spent, spent
from tests.driver.conftest import Benches

MS = 1_000_000


def visit(wall_ms: int, foreign: float = 0, steal: float = 0, **fields: int) -> Spent:
    """`foreign` and `steal` as shares of two cores."""
    cores = 2 * wall_ms * MS
    rest: dict[str, int] = {"throttled_ns": 0, "memory_stall_ns": 0, **fields}
    return Spent(
        wall_ms * MS, cores, round(foreign * cores), round(steal * cores), rest["throttled_ns"], rest["memory_stall_ns"]
    )


def test_each_signal_alone_marks_a_visit() -> None:
    assert not VisitJudge().judge(visit(600, foreign=0.2, steal=0.01))["noisy"]
    assert VisitJudge().judge(visit(600, foreign=0.3))["noisy"]
    assert VisitJudge().judge(visit(600, steal=0.03))["noisy"]
    assert VisitJudge().judge(visit(600, throttled_ns=1))["noisy"]
    assert VisitJudge().judge(visit(600, memory_stall_ns=61 * MS))["noisy"]


def test_a_short_visit_is_judged_with_those_right_before_it() -> None:
    """One tick of 10 ms is half of a visit of 10 ms on two cores: alone it says nothing."""
    ear = VisitJudge()
    for _ in range(60):
        heard = ear.judge(visit(10))
    heard = ear.judge(visit(10, foreign=0.5, steal=0.5))
    assert heard["foreign_share"] == heard["steal_share"] == 0.01
    assert not heard["noisy"]


def test_what_disturbed_a_visit_is_forgotten_half_a_second_later() -> None:
    ear = VisitJudge()
    assert ear.judge(visit(100, foreign=1))["noisy"]
    assert [ear.judge(visit(100))["foreign_share"] for _ in range(6)] == [0.5, 0.3333, 0.25, 0.2, 0.0, 0.0]


def test_work_of_our_own_processes_is_not_foreign() -> None:
    before = Instant.now([os.getpid()])
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    used = spent(before, Instant.now([os.getpid()]), 0)
    assert used.background_ns < used.cores_ns - 150 * MS


def test_disturbed_visits_are_marked_and_grade_the_run_and_all_rounds_count(benches: Benches) -> None:
    benches.background_limit = -1  # whatever happens disturbs
    benches.add("odd")
    benches.add("even")
    result = benches.run("--workloads", "spin")
    assert result.code == 0
    result.check_whole()
    assert result.run["run"]["stop_reason"] == "all cases are decided"
    assert all(visit["noisy"] for visit in result.run["visits"])
    assert (result.run["noise"]["noisy_share"], result.run["noise"]["grade"]) == (1, "D")


def test_quiet_visits_make_the_best_grade(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run("--workloads", "spin")
    assert not any(visit["noisy"] for visit in result.run["visits"])
    assert (result.run["noise"]["noisy_share"], result.run["noise"]["grade"]) == (0, "A")

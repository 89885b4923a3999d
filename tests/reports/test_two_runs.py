"""Two runs side by side, and the gate between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from reports import statistics
from reports.compare import compare, host_differences, verdict_changes
from reports.gate import judge
from reports.read import parse_run
from reports.run import Run
from reports.side_by_side import lines, row
from reports.statistics import Series
from tests.reports import synthetic


def made(values: Mapping[str, float], seed: int, cv: float = 0.02, rounds: int = 24, **parts: Any) -> Run:
    cells = synthetic.measured({model: (value, value) for model, value in values.items()}, "fib", {"n": 20}, rounds, cv, seed)
    return parse_run(synthetic.run(list(values), [{"id": "fib", "class": "cpu"}], cells, **parts), "x")


def test_only_what_is_shown_beyond_the_threshold_is_a_regression() -> None:
    before = made({"fibers": 1e6, "thread_pool": 1e6, "tbb_tasks": 1e6, "serial": 1e6}, 1)
    after = made({"fibers": 1e6, "thread_pool": 1.05e6, "tbb_tasks": 1.3e6, "serial": 0.5e6}, 2)
    found = judge(compare(before, after).changes, 0.1)
    assert [change.model for change in found.regressions] == ["tbb_tasks"]
    assert (len(found.inconclusive), found.passed) == (0, 3)


def test_what_noise_hides_is_inconclusive_and_so_are_too_few_rounds() -> None:
    wild = judge(compare(made({"fibers": 1e6}, 1, cv=0.3), made({"fibers": 1.1e6}, 2, cv=0.3)).changes, 0.1)
    assert (len(wild.regressions), len(wild.inconclusive)) == (0, 1)
    few = judge(compare(made({"fibers": 1e6}, 1, rounds=5), made({"fibers": 9e6}, 2, rounds=5)).changes, 0.1)
    assert (len(few.regressions), len(few.inconclusive)) == (0, 1)


def test_a_run_that_others_disturbed_shows_no_regression() -> None:
    visits = [{"round": r, "case": "fib/n:20", "noisy": r < 20} for r in range(24)]
    before, after = made({"fibers": 1e6}, 1), made({"fibers": 2e6}, 2, visits=visits)
    changes = compare(before, after).changes
    found = judge(changes, 0.1)
    assert (len(found.regressions), len(found.inconclusive)) == (0, 1)
    assert row(changes[0])[-1] == "disturbed"
    few_disturbed = made({"fibers": 2e6}, 2, visits=visits[18:])
    assert len(judge(compare(before, few_disturbed).changes, 0.1).regressions) == 1


@pytest.mark.parametrize("cv", [0.02, 0.1, 0.3])
def test_equal_runs_show_a_regression_in_at_most_one_percent_of_cells_and_intervals_keep_their_promise(cv: float) -> None:
    trials, rounds = 1000, 24
    generator = np.random.default_rng(5)
    logs = synthetic.log_noise(generator, (2, trials, rounds, 1), cv)[..., 0]
    bounds = []
    for trial in range(trials):
        before, after = (Series(dict(enumerate(np.exp(logs[side, trial]))), {}) for side in (0, 1))
        found = statistics.change(before, after)
        assert found is not None
        bounds.append(found)
    assert sum(b.claim_low > np.log(1.1) for b in bounds) / trials <= 0.01
    assert 0.93 <= sum(b.low <= 0 <= b.high for b in bounds) / trials <= 0.97


def test_cells_that_owe_other_work_are_named_and_not_compared() -> None:
    before, after = made({"fibers": 1e6}, 1), made({"fibers": 1e6}, 2)
    raw = synthetic.measured({"fibers": (1e6, 1e6)}, "fib", {"n": 20}, 24, 0.02, 3, units=99)
    other = parse_run(synthetic.run(["fibers"], [{"id": "fib", "class": "cpu"}], raw), "x")
    assert compare(before, other).other_work == ("fib/model:fibers/n:20",)
    assert compare(before, other).changes == ()
    assert compare(before, after).other_work == ()


def test_cells_that_fail_now_are_broken_and_those_of_one_run_only_are_counted() -> None:
    before = made({"fibers": 1e6, "thread_pool": 1e6, "serial": 1e6}, 1)
    cells = [synthetic.cell("fibers", "fib", {"n": 20}, status="crashed", reason="killed by SIGSEGV"), *synthetic.measured({"asio": (1e6, 1e6)}, "fib", {"n": 20}, 8, 0.02, 1)]
    cells += synthetic.measured({"serial": (1e6, 1e6)}, "fib", {"n": 20}, 8, 0.02, 1)
    after = parse_run(synthetic.run(["fibers", "asio", "serial"], [{"id": "fib", "class": "cpu"}], cells), "x")
    found = compare(before, after)
    assert [cell.reason for cell in found.broken] == ["killed by SIGSEGV"]
    assert (found.only_before, found.only_now, len(found.changes)) == (1, 1, 1)


def test_hosts_differ_by_what_both_know() -> None:
    def on(**host: Any) -> Run:
        raw = synthetic.run([], [], [])
        raw["host"] |= host
        return parse_run(raw, "x")

    assert host_differences(on(), on(hostname_hash="ab", kernel="7.0")) == []
    assert host_differences(on(hostname_hash="ab"), on(hostname_hash="cd", logical_cores=8)) == ["machine ab and cd", "cores 2 and 8"]


def test_runs_on_different_allocators_are_different_and_one_that_names_none_had_the_c_library_s() -> None:
    def using(**facts: str) -> Run:
        raw = synthetic.run([], [], [])
        raw["run"] |= facts
        return parse_run(raw, "x")

    assert host_differences(using(), using(allocator="glibc")) == []
    assert host_differences(using(), using(allocator="jemalloc")) == ["allocator glibc and jemalloc"]


def test_a_winner_that_changed_is_told() -> None:
    before, after = made({"fibers": 1e6, "thread_pool": 2e6}, 1), made({"fibers": 2e6, "thread_pool": 1e6}, 2)
    ((case, metric, was, now),) = verdict_changes(before, after)
    assert (case, metric, was.best_set, now.best_set) == ("fib/n:20", "time", ("fibers",), ("thread_pool",))
    told = lines(compare(before, after), verdict_changes(before, after), markdown=False)
    assert told[-1].startswith("fib/n:20, time: before fibers wins, ") and "; now thread_pool wins, " in told[-1]
    assert told[1].split()[:3] == ["fib/n:20", "fibers", "time"] and told[1].endswith("worse") and told[2].endswith("better")


def test_one_that_was_ahead_and_is_behind_now_is_told_though_both_stay_in_the_best_set() -> None:
    before, after = made({"fibers": 1e6, "thread_pool": 1.03e6}, 1), made({"fibers": 1.03e6, "thread_pool": 1e6}, 2)
    ((_, _, was, now),) = verdict_changes(before, after)
    assert (was.kind, now.kind) == ("ahead", "ahead")
    assert set(was.best_set) == set(now.best_set) == {"fibers", "thread_pool"}
    assert verdict_changes(before, made({"fibers": 1e6, "thread_pool": 1e6}, 2)) == []


def test_markdown_has_a_rule_below_its_header_and_no_stray_bar() -> None:
    told = lines(compare(made({"a|b": 1e6}, 1), made({"a|b": 1e6}, 2)), [], markdown=True)
    assert set(told[1]) == {"|", "-"}
    assert "a\\|b" in told[2]


def test_metrics_can_be_chosen() -> None:
    before, after = made({"fibers": 1e6}, 1), made({"fibers": 1e6}, 2)
    assert [change.metric for change in compare(before, after, ("cpu", "memory")).changes] == ["cpu", "memory"]
    assert [change.metric for change in compare(before, after).changes] == ["time"]


@pytest.mark.parametrize(("before", "now", "compared"), [(None, None, 1), (1000, 1090, 1), (1000, 920, 1), (1000, 1200, 0), (1000, 800, 0)])
def test_an_open_loop_at_another_pace_is_other_work(before: int | None, now: int | None, compared: int) -> None:
    runs = []
    for seed, pace in enumerate((before, now)):
        cells = synthetic.measured({"fibers": (1e6, 1e6)}, "echo", {"load_percent": 50}, 6, 0.01, seed, offered_per_s=pace)
        runs.append(parse_run(synthetic.run(["fibers"], [{"id": "echo", "class": "io"}], cells), "x"))
    comparison = compare(*runs)
    assert (len(comparison.changes), len(comparison.other_work)) == (compared, 1 - compared)

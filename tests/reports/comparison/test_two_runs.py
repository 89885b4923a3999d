"""Two runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from reports.cases.read import parse_run
from reports.cases.run import Run
from reports.comparison.compare import compare, host_differences, verdict_changes
from reports.comparison.side_by_side import lines
from tests.reports import synthetic


def made(values: Mapping[str, float], seed: int, cv: float = 0.02, rounds: int = 24, **parts: Any) -> Run:
    cells = synthetic.measured(
        {model: (value, value) for model, value in values.items()}, "fib", {"n": 20}, rounds, cv, seed
    )
    return parse_run(synthetic.run(list(values), [{"id": "fib", "class": "cpu"}], cells, **parts), "x")


def test_cells_that_owe_other_work_are_named_and_not_compared() -> None:
    before, after = made({"fibers": 1e6}, 1), made({"fibers": 1e6}, 2)
    raw = synthetic.measured({"fibers": (1e6, 1e6)}, "fib", {"n": 20}, 24, 0.02, 3, units=99)
    other = parse_run(synthetic.run(["fibers"], [{"id": "fib", "class": "cpu"}], raw), "x")
    assert compare(before, other).other_work == ("fib/model:fibers/n:20",)
    assert compare(before, other).changes == ()
    assert compare(before, after).other_work == ()


def test_hosts_differ_by_what_both_know() -> None:
    def on(**host: Any) -> Run:
        raw = synthetic.run([], [], [])
        raw["host"] |= host
        return parse_run(raw, "x")

    assert host_differences(on(), on(hostname_hash="ab", machine_id_hash="ab")) == []
    assert host_differences(on(machine_id_hash="ab"), on(machine_id_hash="cd", logical_cores=8)) == [
        "machine ab and cd",
        "cores 2 and 8",
    ]


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
    told = lines(compare(before, after, ["time"]), verdict_changes(before, after), markdown=False)
    assert told[-1].startswith("fib/n:20, time: before fibers wins, ") and "; now thread_pool wins, " in told[-1]
    assert told[1].split()[:3] == ["fib/n:20", "fibers", "time"] and told[1].endswith("worse")


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
    assert {change.metric for change in compare(before, after, beside=("time", "cpu")).changes} == {"time", "cpu"}


@pytest.mark.parametrize(
    ("before", "now", "compared"), [(None, None, 1), (1000, 1090, 1), (1000, 920, 1), (1000, 1200, 0), (1000, 800, 0)]
)
def test_an_open_loop_at_another_pace_is_other_work(before: int | None, now: int | None, compared: int) -> None:
    runs = []
    for seed, pace in enumerate((before, now)):
        cells = synthetic.measured(
            {"fibers": (1e6, 1e6)}, "echo", {"load_percent": 50}, 6, 0.01, seed, offered_per_s=pace
        )
        runs.append(parse_run(synthetic.run(["fibers"], [{"id": "echo", "class": "io"}], cells), "x"))
    comparison = compare(*runs)
    assert (bool(comparison.changes), len(comparison.other_work)) == (bool(compared), 1 - compared)

"""What counts in a case: who competes, which outcomes enter, what the sentences say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from reports.cases.cases import Case, analyse
from reports.cases.read import parse_run
from reports.text.headlines import changes, headlines
from reports.text.tables import bound_of, results
from tests.reports import synthetic


def cases(
    models: dict[str, tuple[float, float]],
    class_: str = "cpu",
    extra: list[dict[str, Any]] | None = None,
    rounds: int = 8,
    **workload: Any,
) -> tuple[Case, ...]:
    cells = synthetic.measured(models, "w", {"n": 1}, rounds, 0.01, 3) + (extra or [])
    names = list(models) + [c["model"] for c in extra or []]
    return analyse(parse_run(synthetic.run(names, [{"id": "w", "class": class_, **workload}], cells), "x")).cases


def test_one_model_per_family_competes_and_the_baseline_does_not() -> None:
    (case,) = cases(
        dict.fromkeys(
            ("serial", "thread_pool", "thread_pool_wide", "tbb_tasks", "tbb_resumable", "asio", "fibers"), (1e6, 1e6)
        )
    )
    assert case.competing == {"thread_pool", "tbb_tasks", "fibers"}


def test_the_representative_depends_on_the_class_of_the_work() -> None:
    (case,) = cases(dict.fromkeys(("thread_pool", "thread_pool_wide", "tbb_tasks", "tbb_resumable"), (1e6, 1e6)), "io")
    assert case.competing == {"thread_pool_wide", "tbb_resumable"}


def test_a_variant_stands_in_where_its_family_s_first_choice_cannot_do_the_work() -> None:
    wide = synthetic.cell(
        "thread_pool_wide", "w", {"n": 1}, status="unsupported", reason="needs 1,000 at once, has 256"
    )
    (case,) = cases({"thread_pool": (1e6, 1e6), "fibers": (1e6, 1e6)}, "io", [wide])
    assert case.competing == {"thread_pool", "fibers"}


def test_a_family_whose_representative_failed_sends_nobody_else() -> None:
    wrong = synthetic.cell("thread_pool", "w", {"n": 1}, status="wrong", reason="item 7 ran twice")
    (case,) = cases({"thread_pool_wide": (1e5, 1e5), "fibers": (1e6, 1e6), "tbb_tasks": (2e6, 2e6)}, "cpu", [wrong])
    assert "thread_pool_wide" not in case.competing
    assert case.verdicts["time"].best_set == ("fibers",)


def test_time_and_cpu_cost_are_decided_apart() -> None:
    (case,) = cases({"fibers": (1e6, 1e6), "thread_pool": (5e5, 3e6)})
    assert case.verdicts["time"].best_set == ("thread_pool",)
    assert case.verdicts["cpu"].best_set == ("fibers",)


def test_samples_taken_before_a_failure_do_not_count() -> None:
    crashed = synthetic.measured(
        {"tbb_tasks": (1.0, 1.0)}, "w", {"n": 1}, 8, 0.01, 4, status="crashed", reason="killed by signal 11"
    )
    (case,) = cases({"fibers": (1e6, 1e6), "thread_pool": (2e6, 2e6)}, extra=crashed)
    assert case.verdicts["time"].best_set == ("fibers",)
    assert "tbb_tasks" not in case.verdicts["time"].ratios


def test_a_model_projected_beyond_the_budget_is_slower_in_time_only() -> None:
    projected = synthetic.cell("fibers", "w", {"n": 1}, status="projected", reason="budget", projected_ns=9_000_000_000)
    (case,) = cases({"thread_pool": (1e6, 1e6)}, extra=[projected])
    assert (case.verdicts["time"].kind, case.verdicts["time"].slower) == ("wins", ("fibers",))
    assert (case.verdicts["cpu"].kind, case.verdicts["cpu"].reason) == ("none", "no rival was measured")


def test_a_model_stopped_early_is_slower_in_time_and_open_in_cpu_cost() -> None:
    stopped = synthetic.measured(
        {"fibers": (9e6, 9e5)}, "w", {"n": 1}, 3, 0.01, 4, stopped={"rounds": 3, "reason": "clearly slower"}
    )
    (case,) = cases({"thread_pool": (1e6, 1e6)}, extra=stopped)
    assert (case.verdicts["time"].kind, case.verdicts["time"].slower) == ("wins", ("fibers",))
    assert (case.verdicts["cpu"].kind, case.verdicts["cpu"].reason) == ("none", "3 of at least 6 rounds")
    (case,) = cases({"thread_pool": (1e6, 1e6), "tbb_tasks": (2e6, 2e6)}, extra=stopped)
    assert (case.verdicts["cpu"].kind, set(case.verdicts["cpu"].best_set), case.verdicts["cpu"].slower) == (
        "open",
        {"thread_pool", "fibers"},
        ("tbb_tasks",),
    )


def test_a_case_in_which_the_origin_was_the_limit_has_no_verdict() -> None:
    limited = synthetic.measured(
        {"fibers": (5e5, 5e5)},
        "w",
        {"n": 1},
        8,
        0.01,
        4,
        status="server_bound",
        reason="the origin used 98 % of its core",
    )
    (case,) = cases({"thread_pool": (1e6, 1e6)}, extra=limited)
    assert case.verdicts["time"].kind == "none"
    assert "server-bound" in case.verdicts["time"].reason
    assert case.verdicts["time"].ratios["thread_pool"].value == pytest.approx(2, rel=0.05)


def test_memory_decides_where_the_workload_says_so() -> None:
    (case,) = cases({"fibers": (2e6, 1e6), "thread_pool": (1e6, 1e6)}, "cpu", metric="memory")
    assert case.deciding.best_set == ("fibers",)  # the generator gives the first model the least memory
    assert case.verdicts["time"].best_set == ("thread_pool",)


def test_a_metric_that_was_not_measured_is_no_verdict() -> None:
    (case,) = cases({"fibers": (2e6, 1e6), "thread_pool": (1e6, 1e6)}, "mixed", metric="latency")
    assert (case.deciding.kind, case.deciding.reason) == (
        "none",
        "no sample has latencies enough for the percentile that decides",
    )


def test_headlines_name_the_metric_the_numbers_and_the_interval() -> None:
    cells = synthetic.measured(
        {"fibers": (1e6, 4e6), "thread_pool": (3e6, 4e6), "serial": (5e5, 5e5)},
        "w",
        {"tasks": 1000, "delay_us": 5000},
        36,
        0.001,
        3,
    )
    analysis = analyse(
        parse_run(synthetic.run(["fibers", "thread_pool", "serial"], [{"id": "w", "class": "cpu"}], cells), "x")
    )
    time, cpu, telling = headlines(analysis)
    assert (time.lead, time.text) == ("By time", "1 case: fibers wins 1.")
    assert cpu.text == "1 case: 1 tie."
    assert telling.text.startswith(
        "w, tasks 1,000, delay 5 ms. Time: fibers wins, 1.00 ms against 3.00 ms for thread_pool (3.00× within rounds,"
        " 95 % interval "
    )
    assert "serial, one after another, takes 0.50× of that" in telling.text
    assert "CPU cost: tie of 2 (thread_pool and fibers), 4.00 ms" in telling.text


def test_a_winner_that_changes_with_the_size_is_told() -> None:
    cells = synthetic.measured(
        {"fibers": (1e6, 1e6), "thread_pool": (3e6, 1e6)}, "w", {"tasks": 10, "grain": 1}, 12, 0.001, 3
    )
    cells += synthetic.measured(
        {"fibers": (3e8, 1e6), "thread_pool": (2e8, 1e6)}, "w", {"tasks": 10, "grain": 1000}, 12, 0.001, 3
    )
    analysis = analyse(parse_run(synthetic.run(["fibers", "thread_pool"], [{"id": "w", "class": "cpu"}], cells), "x"))
    (told,) = changes(analysis)
    # truly at 155
    assert re.fullmatch(
        r"w, time: fibers before grain 1\d\d \(95 % interval 1\d\d to 1\d\d\), thread_pool beyond it\.", told
    )
    assert analysis.rows[0].constants == "tasks 10"


def test_sizes_are_ordered_by_number_and_parameters_that_repeat_others_are_left_out() -> None:
    cells = []
    for tasks in (1000, 20, 3):
        cells += synthetic.measured({"fibers": (1e6, 1e6)}, "w", {"tasks": tasks, "in_flight": tasks}, 6, 0.01, 3)
    analysis = analyse(parse_run(synthetic.run(["fibers"], [{"id": "w", "class": "io"}], cells), "x"))
    assert [case.label for case in analysis.cases] == ["tasks 3", "tasks 20", "tasks 1,000"]


def bounded(times: dict[str, tuple[float, float]], **cell: Any) -> Case:
    cells = synthetic.measured(times, "w", {"n": 1}, 8, 0.0, 3, **cell)
    (case,) = analyse(parse_run(synthetic.run(list(times), [{"id": "w", "class": "cpu"}], cells), "x")).cases
    return case


def test_computing_is_bounded_by_the_least_cpu_time_over_the_cores() -> None:
    times = {"serial": (2e6, 2e6), "thread_pool": (1.25e6, 2.1e6)}
    cells = synthetic.measured(times, "w", {"n": 1}, 8, 0.0, 3, bound="serial time / cores")
    analysis = analyse(parse_run(synthetic.run(list(times), [{"id": "w", "class": "cpu"}], cells), "x"))
    (case,) = analysis.cases
    assert case.bound_ns == pytest.approx(1e6, rel=0.01)
    assert [row[8] for row in results(case, analysis.run).rows] == ["80 %", "50 %"]
    assert (
        bound_of(case)
        == "The least possible time is 1.00 ms (the CPU time of serial, which needed least, over 2 cores)."
    )


@pytest.mark.parametrize(("waits_ns", "expected"), [(500_000, 1_000_000), (1_500_000, 1_500_000), (None, 1_000_000)])
@pytest.mark.parametrize("models", [("serial", "event_loop"), ("thread_pool", "event_loop")])
def test_the_bound_is_the_longer_of_waiting_and_computing_whether_or_not_serial_was_measured(
    models: tuple[str, str], waits_ns: int | None, expected: int
) -> None:
    """As measured: mixed, 100 tasks, 10 ms, 1,000,000 steps said 10 ms, where 63 are true."""
    case = bounded(dict(zip(models, ((9e6, 3e6), (9e6, 2e6)), strict=True)), bound="wait", bound_ns=waits_ns)
    assert case.bound_ns == pytest.approx(expected, rel=0.01)
    assert bound_of(case).endswith(
        "(wait)." if expected == waits_ns else "(the CPU time of event_loop, which needed least, over 2 cores)."
    )


def test_what_a_workload_has_no_bound_for_gets_none() -> None:
    assert bounded({"event_loop": (9e6, 2e6)}, bound="none: what the disk can do is not known").bound_ns is None


def test_a_tie_at_the_least_possible_time_counts_only_what_must_be_waited_for() -> None:
    """All of these models are at what the cheapest of them computes; that says nothing of what another one would
    need."""
    noise = {r: (1.0, 1.3)[r % 2] for r in range(8)}
    cells = [synthetic.cell(model, "w", {"n": 1}) for model in ("thread_pool", "fibers")]
    for cell in cells:
        cell["samples"] = [
            synthetic.sample(r, 0, 1e6 if (r + (cell["model"] == "fibers")) % 8 else 1e6 * noise[1], 2e6)
            for r in range(8)
        ]
    (case,) = analyse(
        parse_run(synthetic.run(["thread_pool", "fibers"], [{"id": "w", "class": "cpu"}], cells), "x")
    ).cases
    assert case.bound_ns == 1_000_000 and case.medians["time"]["fibers"] == 1e6
    assert case.verdicts["time"].kind != "tie"
    for cell in cells:
        cell["bound_ns"] = 1_000_000
    (case,) = analyse(
        parse_run(synthetic.run(["thread_pool", "fibers"], [{"id": "w", "class": "cpu"}], cells), "x")
    ).cases
    assert case.verdicts["time"].kind == "tie"


def test_no_model_is_faster_than_the_bound() -> None:
    for case in analyse(parse_run(synthetic.realistic(12), "x")).cases:
        times, cpu = case.medians["time"], case.medians["cpu"]
        # as it is where anything was measured
        if case.bound_ns is not None and all(cpu[model] <= 2 * times[model] for model in times):
            assert all(case.bound_ns <= time * 1.001 for time in times.values()), case.id

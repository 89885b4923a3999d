"""The regression gate: what moves alone has changed, what moves with all is the machine, and what is lost is the worst
regression of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import pytest
from reports.cases.read import parse_run
from reports.cases.run import Run
from reports.comparison.compare import Comparison, compare as compare_runs
from reports.comparison.gate import Findings, judge
from reports.comparison.gate_in_words import lines, summary
from reports.comparison.junit import junit
from tests.reports import synthetic
from vocabulary.terms import MAP_METRICS

MODELS = ("event_loop", "fibers", "serial", "tbb_tasks", "thread_pool")
CASE = "fib/n:20"


def made(
    seed: int,
    slower: Mapping[str, tuple[float, float]] = {},
    *,
    models: Sequence[str] = MODELS,
    rounds: int = 24,
    cv: float = 0.05,
    disturbed: bool = False,
    machine: float = 1.0,
    stopped: Mapping[str, int] = {},
    cells: Mapping[str, Mapping[str, Any]] = {},
    workloads: Sequence[str] = ("fib",),
) -> Run:
    """`slower`: by how much models, or workload/model, need more time, and more CPU; `machine`: by how much all do;
    `stopped`: after how many rounds; `cells`: models whose cell is another."""
    found = []
    for place, workload in enumerate(workloads):
        factors = {model: slower.get(f"{workload}/{model}", slower.get(model, (1, 1))) for model in models}
        values = {model: (1e6 * machine * time, 1e6 * machine * cpu) for model, (time, cpu) in factors.items()}
        for cell in synthetic.measured(values, workload, {"n": 20}, rounds, cv, seed + 100 * place):
            if cell["model"] in stopped:
                cell |= {
                    "samples": cell["samples"][: stopped[cell["model"]]],
                    "stopped": {"rounds": stopped[cell["model"]], "reason": "clearly slower"},
                }
            found.append(cell | cells.get(cell["model"], {}))
    visits = [
        {"round": r, "case": f"{workload}/n:20", "noisy": disturbed} for workload in workloads for r in range(rounds)
    ]
    return parse_run(
        synthetic.run(models, [{"id": workload, "class": "cpu"} for workload in workloads], found, visits=visits), "x"
    )


def compare(before: Run, after: Run) -> Comparison:
    return compare_runs(before, after, beside=MAP_METRICS)


def judged(before: Run, after: Run, threshold: float = 0.1) -> Findings:
    return judge(compare(before, after), threshold)


def worse(found: Findings) -> set[tuple[str, str]]:
    return {(change.model, change.metric) for change in found.regressions}


def test_only_the_model_that_moved_alone_beyond_the_threshold_is_a_regression() -> None:
    found = judged(
        made(1, cv=0.02), made(2, {"thread_pool": (1.03, 1.03), "tbb_tasks": (1.3, 1.3), "serial": (0.5, 0.5)}, cv=0.02)
    )
    assert worse(found) == {("tbb_tasks", "time"), ("tbb_tasks", "cpu")}
    assert len(found.passed) == 8


def test_a_slowdown_by_cpu_alone_is_found_though_time_decides_the_workload() -> None:
    assert worse(judged(made(1), made(2, {"thread_pool": (1, 1.3)}))) == {("thread_pool", "cpu")}


def test_a_slowdown_is_found_though_all_rounds_are_disturbed_and_the_machine_is_slower_for_all() -> None:
    found = judged(made(1, disturbed=True), made(2, {"thread_pool": (1, 1.3)}, disturbed=True, machine=1.6, cv=0.1))
    assert worse(found) == {("thread_pool", "cpu")}


def test_what_is_forty_times_as_slow_is_found_in_the_three_rounds_that_it_had_before_it_was_stopped() -> None:
    found = judged(made(1, rounds=6), made(2, {"thread_pool": (40, 40)}, rounds=6, stopped={"thread_pool": 3}))
    assert worse(found) == {("thread_pool", "time"), ("thread_pool", "cpu")}
    assert any(
        "stopped early now: clearly slower" in line
        for line in lines(found, compare(made(1), made(2)), 0.1, markdown=False)
    )


def test_what_was_stopped_early_by_chance_is_inconclusive() -> None:
    found = judged(made(1), made(2, stopped={"thread_pool": 3}))
    assert not found.failed
    assert {"time", "cpu"} == {change.metric for change in found.inconclusive if change.model == "thread_pool"}


def test_three_disturbed_rounds_show_less_than_three_undisturbed_ones() -> None:
    """Three rounds in a row of an unchanged pool of processes once cost 25 times as much."""
    before, slow = made(1, disturbed=True), {"thread_pool": (25.0, 25.0)}
    assert worse(judged(before, made(2, slow, stopped={"thread_pool": 3})))
    assert not judged(before, made(2, slow, stopped={"thread_pool": 3}, disturbed=True)).failed


def test_what_moves_with_all_is_no_regression_but_inconclusive_and_said() -> None:
    before, after = made(1), made(2, machine=1.5)
    found = judged(before, after)
    assert (found.failed, found.passed) == (False, ())
    assert set(found.together) == {(CASE, "time"), (CASE, "cpu")}
    assert any(
        "all models of a case became worse together: fib/n:20 by " in line
        for line in lines(found, compare(before, after), 0.1, markdown=False)
    )
    assert judged(after, before).together == {}, "a faster machine excludes a regression of a model alone"


FOUR = ("fib", "nqueens", "skynet", "spawn")


@pytest.mark.parametrize("others", [1, 2])
def test_beside_few_others_the_other_cases_tell_which_of_them_moved(others: int) -> None:
    models = ("fibers", "serial", "thread_pool")[: 1 + others]
    before = made(1, models=models, workloads=FOUR, cv=0.02)
    slow = judged(before, made(2, {"fib/fibers": (2, 2)}, models=models, workloads=FOUR, cv=0.02))
    assert {(change.case, change.model) for change in slow.regressions} == {(CASE, "fibers")}
    fast = judged(before, made(2, {"fib/fibers": (0.2, 0.2)}, models=models, workloads=FOUR, cv=0.02))
    assert not fast.failed, "that one became faster makes none of the others slower"


def test_a_model_alone_in_its_case_is_held_against_the_other_cases() -> None:
    def run(seed: int, factor: float) -> Run:
        return made(seed, {"fib/fibers": (factor, factor)}, models=("fibers",), workloads=FOUR, cv=0.02)

    assert worse(judged(run(1, 1), run(2, 4))) == {("fibers", "time"), ("fibers", "cpu")}
    assert not judged(run(1, 1), made(2, models=("fibers",), workloads=FOUR, cv=0.02, machine=2)).failed
    lonely = judged(made(1, models=("fibers",)), made(2, {"fibers": (1.3, 1.3)}, models=("fibers",)))
    assert not lonely.failed and lonely.inconclusive, "it may be the machine"


def test_what_each_case_only_hints_at_is_found_over_all_cases() -> None:
    before, after = made(1, workloads=FOUR, cv=0.3, rounds=12), made(
        2, {"thread_pool": (1, 1.22)}, workloads=FOUR, cv=0.3, rounds=12
    )
    found = judged(before, after)
    assert ("all 4 cases", "thread_pool", "cpu") in {
        (change.case, change.model, change.metric) for change in found.regressions
    }


def test_a_model_that_is_wrong_crashed_or_not_supported_now_is_a_regression() -> None:
    for status in ("wrong", "crashed", "timed_out", "failed", "unsupported"):
        found = judged(made(1), made(2, cells={"fibers": {"status": status, "reason": "killed by SIGSEGV"}}))
        assert found.failed and [lost.line for lost in found.lost] == [
            f"{CASE}: fibers: {status.replace('_', ' ')} now: killed by SIGSEGV"
        ]


def test_a_model_that_did_not_start_is_one_regression() -> None:
    raw = synthetic.run(MODELS, [{"id": "fib", "class": "cpu"}], [])
    cells = synthetic.measured(
        {model: (1e6, 1e6) for model in MODELS if model != "fibers"}, "fib", {"n": 20}, 24, 0.02, 1
    )
    raw["cells"] = cells
    next(model for model in raw["models"] if model["id"] == "fibers").update(
        status="failed", reason="bench_fibers does not start"
    )
    found = judged(made(1), parse_run(raw, "x"))
    assert [lost.line for lost in found.lost] == ["fibers: failed now: bench_fibers does not start"]


@pytest.mark.parametrize(("factor", "failed"), [(40, True), (1.05, False)])
def test_projected_after_ok_is_a_regression_where_what_is_projected_lies_beyond_and_else_inconclusive(
    factor: float, failed: bool
) -> None:
    projected = {"status": "projected", "reason": "projected ≥ 1 s", "projected_ns": int(factor * 1e6), "samples": []}
    found = judged(made(1), made(2, cells={"fibers": projected}))
    assert found.failed is failed
    assert ("fibers", "time") in {
        (change.model, change.metric) for change in (found.regressions if failed else found.inconclusive)
    }


def test_what_the_time_was_too_short_for_is_inconclusive_and_named() -> None:
    found = judged(made(1), made(2, cells={"fibers": {"status": "not_run", "reason": "left out", "samples": []}}))
    assert not found.failed
    assert [lost.line for lost in found.unmeasured] == [f"{CASE}: fibers: not run now: left out"]


def test_it_tells_what_it_would_have_found_and_that_is_found() -> None:
    before, after = made(1, cv=0.1), made(2, cv=0.1)
    (seen,) = (seen for seen in judged(before, after).seen if seen.metric == "time")
    assert 0.1 < seen.half <= seen.most < 1
    assert f"would have found {100 * seen.half:.0f} % and more by time in half of the comparisons" in "\n".join(
        lines(judged(before, after), compare(before, after), 0.1, False)
    )
    factor = 1 + seen.most
    trials = [
        worse(judged(made(10 + trial, cv=0.1), made(60 + trial, {"fibers": (factor, 1)}, cv=0.1)))
        for trial in range(20)
    ]
    assert sum(("fibers", "time") in found for found in trials) >= 16


def test_junit_has_a_test_case_for_each_cell_with_a_failure_or_skipped() -> None:
    models = (*MODELS, "asio", "process_pool")
    after = made(
        2,
        {"thread_pool": (2, 2)},
        models=models,
        cv=0.02,
        stopped={"serial": 3},
        cells={"fibers": {"status": "wrong", "reason": "a < b"}},
    )
    found = judged(made(1, models=models, cv=0.02), after)
    suite = ElementTree.fromstring(junit(found))
    outcomes = {case.get("name"): [child.tag for child in case] for case in suite}
    assert outcomes == {
        "asio": [],
        "event_loop": [],
        "fibers": ["failure"],
        "process_pool": [],
        "serial": ["skipped"],
        "tbb_tasks": [],
        "thread_pool": ["failure"],
    }
    assert [suite.get(key) for key in ("tests", "failures", "skipped")] == ["7", "2", "1"]
    assert {case.get("classname") for case in suite} == {CASE}
    assert "a < b" in {child.get("message", "").rpartition(": ")[2] for case in suite for child in case}


def test_markdown_has_a_table_of_the_regressions() -> None:
    before, after = made(1), made(2, {"thread_pool": (2, 2)})
    told = lines(judged(before, after), compare(before, after), 0.1, markdown=True)
    assert told[0] == "**Regressions**  " and told[2].startswith("| case ") and set(told[3]) == {"|", "-"}
    assert told[-1].startswith("10 compared at 10%: 2 regressions")


def test_the_threshold_is_told_as_it_was_given() -> None:
    found = judged(made(1), made(2))
    assert [summary(found, threshold).split(":")[0] for threshold in (0.025, 0.1, 0.29, 1.5)] == [
        f"10 compared at {percent}%" for percent in ("2.5", "10", "29", "150")
    ]

"""Advice from models whose truth is known: they follow the formula, measured with noise at a few sizes."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from reports.analysis.advice import Advice, NoAdvice, Question, advise
from reports.analysis.surface import Work
from reports.cases.cases import analyse
from reports.cases.read import parse_run
from reports.text.advice_in_words import in_words
from tests.reports import synthetic

MS, US = 1e6, 1e3
STEP_NS = 1.2
AT_ONCE = {
    "event_loop": 10_000_000,
    "thread_pool_wide": 256,
    "process_pool_wide": 32,
    "fibers": 10_000_000,
    "event_loop_per_core": 10_000_000,
    "thread_per_task": 16_000,
    "asio": 10_000_000,
    "event_loop_tasks": 10_000_000,
    "serial": 1,
}
CORES = {
    "event_loop": 1.0,
    "thread_pool_wide": 2.0,
    "process_pool_wide": 1.8,
    "fibers": 1.0,
    "event_loop_per_core": 2.0,
    "thread_per_task": 1.5,
    "asio": 1.0,
    "event_loop_tasks": 1.0,
    "serial": 1.0,
}
OVERHEAD_NS = {
    "event_loop": 700.0,
    "thread_pool_wide": 6_000.0,
    "process_pool_wide": 7_000.0,
    "fibers": 700.0,
    "event_loop_per_core": 300.0,
    "thread_per_task": 20_000.0,
    "asio": 100.0,
    "event_loop_tasks": 100.0,
    "serial": 50.0,
}
SIZES = (
    (100, 1_000, 10_000),
    (100, 1_000, 100_000),
    (100, 10_000, 10_000),
    (100, 10_000, 100_000),
    (1_000, 10_000, 10_000),
    (10_000, 10_000, 1_000),
)
MODELS = ("event_loop", "thread_pool_wide", "process_pool_wide", "serial")
MEASURED = Work(1_000, 10 * MS, 10_000 * STEP_NS)

Cells = list[dict[str, Any]]


def truth_ns(model: str, work: Work) -> float:
    waits = -(-work.tasks // min(AT_ONCE[model], work.tasks)) * work.wait_ns
    computes = work.tasks * work.compute_ns / CORES[model]
    return max(waits, computes) + 0.6 * min(waits, computes) + work.tasks * OVERHEAD_NS[model]


def mixed(
    rounds: int = 12,
    cv: float = 0.03,
    sizes: tuple[tuple[int, int, int], ...] = SIZES,
    models: tuple[str, ...] = MODELS,
    seed: int = 0,
) -> Cells:
    cells = []
    for number, (tasks, wait_us, steps) in enumerate(sizes, seed):
        work = Work(tasks, wait_us * US, steps * STEP_NS)
        values = {model: (truth_ns(model, work), tasks * (work.compute_ns + OVERHEAD_NS[model])) for model in models}
        cells += synthetic.measured(
            values,
            "mixed",
            {"tasks": tasks, "wait_us": wait_us, "steps": steps, "in_flight": tasks},
            rounds,
            cv,
            number,
        )
    return cells


def document(cells: Cells) -> dict[str, Any]:
    classes = {"mixed": "mixed", "idle_tasks": "memory", "echo_at_rate": "io"}
    workloads = [{"id": id, "class": classes[id]} for id in dict.fromkeys(cell["workload"] for cell in cells)]
    run = synthetic.run(list(dict.fromkeys(cell["model"] for cell in cells)), workloads, cells)
    families = {"event_loop_per_core": "event_loop", "thread_per_task": "threads", "process_pool_wide": "processes"}
    for model in run["models"]:
        model["at_once"] = AT_ONCE[model["id"]]
        model["resources"] = {
            "threads": {"thread_pool_wide": 257, "process_pool_wide": 34, "thread_per_task": 16_001}.get(
                model["id"], 1
            ),
            "processes": 1,
        }
        model["family"] = families.get(model["id"], model["family"])
    return run


def asked(work: Work, cells: Cells | None = None, step_ns: float | None = None, **limits: Any) -> Advice:
    return advise(
        analyse(parse_run(document(mixed() if cells is None else cells), "x")), Question(work, **limits), step_ns
    )


def told(advice: Advice) -> str:
    return "\n".join(in_words(advice, "a run", "Measure it: MEASURE"))


def test_where_the_mix_was_measured_the_verdict_of_that_case_answers() -> None:
    advice = asked(MEASURED)
    assert advice.basis == "measured"
    assert advice.verdict.kind == "wins" and advice.verdict.best == "event_loop"
    assert advice.options[0].time_ns == advice.nearest.case.medians["time"]["event_loop"]
    assert "event_loop is the fastest of 3: " in told(advice)
    assert "MEASURE" not in told(advice)


def test_a_question_within_a_quarter_of_a_measured_case_is_answered_by_it() -> None:
    assert asked(Work(1_200, 9 * MS, 14 * US)).basis == "measured"
    assert asked(Work(1_300, 10 * MS, 12 * US)).basis != "measured"


def test_the_nearest_case_is_that_of_all_parameters_together_not_of_the_one_that_differs_most() -> None:
    """Both differ tenfold in the wait, but one of them in the computing, too."""
    advice = asked(Work(100, 100 * MS, 120 * US))
    assert advice.nearest.case.params["steps"] == 100_000
    assert advice.basis == "outside"


def test_a_run_without_serial_gives_advice() -> None:
    assert asked(MEASURED, mixed(models=("event_loop", "thread_pool_wide"))).verdict.best == "event_loop"


def test_a_case_of_which_nothing_was_measured_is_no_evidence() -> None:
    cells = mixed()
    for cell in cells:
        if cell["params"]["tasks"] >= 1_000:
            cell["samples"] = []
    advice = asked(MEASURED, cells)
    assert advice.cases == 4
    assert advice.nearest.case.params["tasks"] == 100
    assert advice.basis == "outside"


def test_names_that_nothing_separates_stand_in_the_same_order_in_every_run() -> None:
    """Event loop and fibers are equal here; which of them has the lower median is a matter of luck."""
    orders, medians = set(), set()
    for seed in range(0, 100, 10):
        advice = asked(
            MEASURED, mixed(rounds=24, cv=0.005, models=("fibers", "event_loop", "thread_pool_wide"), seed=seed)
        )
        assert advice.verdict.kind == "tie"
        medians.add(advice.options[0].time_ns < advice.options[1].time_ns)
        orders.add(told(advice).split("\n")[4])
    assert medians == {True, False}
    assert orders == {"event_loop and fibers are equally fast: each is at most 5 % from the best."}


def test_no_name_stands_without_its_bound_where_the_best_is_open() -> None:
    advice = asked(MEASURED, mixed(rounds=6, cv=0.6, models=("fibers", "event_loop", "thread_pool_wide")))
    assert advice.verdict.kind in ("safe_choice", "open")
    line = told(advice).split("\n")[4]
    assert line.startswith("It is open which of ")
    assert "from the best" in line
    if advice.verdict.kind == "open":
        assert told(advice).endswith("Measure it: MEASURE")


def test_what_is_shown_to_be_behind_is_told_where_the_best_is_open() -> None:
    cells = mixed(rounds=6, cv=0.1, models=("fibers", "event_loop", "process_pool_wide"))
    advice = asked(MEASURED, cells)
    assert {"event_loop", "fibers"} <= set(advice.verdict.best_set)
    assert "\nShown to be slower: process_pool_wide (" in told(advice)


def test_all_models_that_were_measured_are_considered_but_not_what_is_only_compared_with() -> None:
    advice = asked(
        MEASURED, mixed(models=(*MODELS, "event_loop_per_core", "thread_per_task", "asio", "event_loop_tasks"))
    )
    assert advice.verdict.best == "event_loop_per_core"
    assert {option.model for option in advice.options} == {
        "event_loop",
        "thread_pool_wide",
        "process_pool_wide",
        "event_loop_per_core",
        "thread_per_task",
    }


def test_a_model_that_was_measured_elsewhere_only_is_named_as_such() -> None:
    cells = mixed() + mixed(sizes=SIZES[:1], models=("thread_per_task",))
    assert asked(MEASURED, cells).left_out == (("thread_per_task", "not measured there"),)
    assert asked(Work(300, 5 * MS, 30 * US), cells).left_out == (
        ("thread_per_task", "measured in 1 of these 6 cases, which is too few for an estimate"),
    )


def without(cells: Cells, model: str, **changes: Any) -> Cells:
    """Whose cells of the model came to something else."""
    return [cell | {"samples": []} | changes if cell["model"] == model else cell for cell in cells]


def test_a_model_that_was_projected_everywhere_is_slower_and_one_that_failed_is_named() -> None:
    advice = asked(MEASURED, without(mixed(), "process_pool_wide", status="projected", projected_ns=3 * 10**9))
    assert advice.verdict.slower[-1] == "process_pool_wide"
    assert "process_pool_wide (projected ≥ 3.00 s)." in told(advice)
    assert asked(MEASURED, without(mixed(), "process_pool_wide", status="crashed")).left_out == (
        ("process_pool_wide", "crashed"),
    )


def test_one_model_that_was_measured_beside_projected_ones_wins() -> None:
    cells = without(
        mixed(models=("event_loop", "process_pool_wide")),
        "process_pool_wide",
        status="projected",
        projected_ns=3 * 10**9,
    )
    assert "event_loop is the fastest of 2: all others stopped or projected." in told(asked(MEASURED, cells))


def test_a_model_that_could_not_be_asked_is_named_with_the_reason() -> None:
    run = document(mixed(models=(*MODELS, "fibers")))
    run["cells"] = [cell for cell in run["cells"] if cell["model"] != "fibers"]
    next(model for model in run["models"] if model["id"] == "fibers").update(
        status="unsupported", reason="has the sizes of its list only"
    )
    assert advise(analyse(parse_run(run, "x")), Question(MEASURED)).left_out == (
        ("fibers", "has the sizes of its list only"),
    )


@pytest.mark.parametrize(
    "work", [Work(300, 5 * MS, 30 * US), Work(2_000, 10 * MS, 5 * US), Work(150, 3 * MS, 120 * US)]
)
def test_between_measured_sizes_the_estimate_is_near_the_truth_and_its_bounds_contain_it(work: Work) -> None:
    advice = asked(work)
    assert advice.basis == "estimated"
    times = {model: truth_ns(model, work) for model in MODELS[:3]}
    for option in advice.options:
        assert option.time_ns == pytest.approx(times[option.model], rel=0.35)
        ratio = advice.verdict.ratios[option.model]
        assert ratio.low is not None and ratio.high is not None
        assert ratio.low <= times[option.model] / times[advice.verdict.best or ""] <= ratio.high
    assert advice.verdict.safe_choice is not None and advice.verdict.regret is not None
    assert times[advice.verdict.safe_choice] <= min(times.values()) * (1 + advice.verdict.regret)


def test_an_estimate_of_which_nothing_is_shown_says_to_measure() -> None:
    advice = asked(Work(300, 5 * MS, 60 * US), mixed(rounds=6, cv=1.0))
    assert advice.verdict.kind == "open"
    assert told(advice).endswith("Measure it: MEASURE")


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (Work(50_000, 10 * MS, 12 * US), "tasks 50,000, measured from 100 to 10,000"),
        (Work(300, 20 * MS, 30 * US), "wait 20.0 ms, measured from 1.00 ms to 10.0 ms"),
        (Work(300, 5 * MS, 200 * US), "computing 200 µs, measured from 1."),
        (Work(10_000, 1 * MS, 120 * US), "it is further from the nearest measured case than these are from each other"),
        (Work(300, 0, 30 * US), "0 measured cases with tasks that do not wait"),
    ],
)
def test_beyond_what_was_measured_there_is_no_estimate_but_the_nearest_case_and_how_to_measure(
    work: Work, why: str
) -> None:
    advice = asked(work)
    assert advice.basis == "outside" and not advice.answers
    assert why in "; ".join(advice.outside)
    lines = told(advice).split("\n")
    assert lines[3].startswith("No advice: this mix was not measured, and nothing is estimated for it: ")
    assert lines[4] == "Measure it: MEASURE"
    assert lines[6].startswith("The nearest measured case: ")
    assert {option.time_ns for option in advice.options} <= set(advice.nearest.case.medians["time"].values())


def test_two_cases_are_too_few_for_an_estimate() -> None:
    advice = asked(Work(100, 1 * MS, 40 * US), mixed(sizes=SIZES[:2]))
    assert advice.outside == ("2 measured cases with tasks that wait, and an estimate between cases needs 6",)


def test_requests_per_second_are_tasks_by_time_and_cpu_is_that_of_one() -> None:
    cells = mixed()
    for cell in cells:
        for sample in cell["samples"]:
            sample |= (
                {"wall_ns": 3 * 20_000_000, "cpu_user_ns": 3 * 12_000_000, "cpu_sys_ns": 0}
                if cell["model"] == "event_loop"
                else {}
            )
    text = told(asked(MEASURED, cells))
    row = next(line.split() for line in text.split("\n") if line.startswith("event_loop  "))
    assert row[1:6] == ["20.0", "ms", "1", "50,000", "12.0"]
    assert "requests/s: tasks divided by time, which this machine holds with 1,000 under way together" in text


def replies(load: int, **tail_ms: float) -> Cells:
    params = {"connections": 16, "load_percent": load}
    cells = [synthetic.cell(model, "echo_at_rate", params, metric="latency") for model in tail_ms]
    for cell in cells:
        buckets = [[1_000, 900], [int(tail_ms[cell["model"]] * MS), 100]]
        cell["samples"] = [synthetic.sample(0, 0, 1e9, 1e8) | {"latency": {"intended": buckets, "service": buckets}}]
    return cells


def test_the_99th_percentile_is_that_of_the_usual_load_and_its_case_is_named() -> None:
    advice = asked(
        MEASURED, mixed() + replies(50, event_loop=1) + replies(70, event_loop=3) + replies(90, event_loop=9)
    )
    assert advice.options[0].tail_ns == 3 * MS
    assert (
        "P99: 99 of 100 replies of a server took less, measured in another case: echo_at_rate, load percent 70."
        in told(advice)
    )


def test_among_those_that_time_does_not_separate_cpu_and_memory_do() -> None:
    cells = mixed(rounds=24, cv=0.005, models=("fibers", "event_loop", "thread_pool_wide"))
    for cell in cells:
        for sample in cell["samples"]:
            sample["cpu_user_ns"] = round(sample["cpu_user_ns"] * (0.5 if cell["model"] == "fibers" else 1))
            sample["peak_rss_bytes"] = 4 << 20 if cell["model"] == "event_loop" else 8 << 20
    advice = asked(MEASURED, cells, STEP_NS)
    assert advice.cheapest is not None and advice.cheapest[0] == "fibers"
    assert advice.leanest == ("event_loop", 0.5)
    assert "from the best.\nOf these fibers needs the least CPU time: 0." in told(advice)
    assert (
        "\nOf these event_loop needs the least memory: 0.5 of what the next needs.\nShown to be slower:"
        " thread_pool_wide (" in told(advice)
    )


def with_memory(cells: Cells) -> Cells:
    for cell in cells:
        for sample in cell["samples"]:
            sample["peak_rss_bytes"] = int(
                min(cell["params"]["tasks"], AT_ONCE[cell["model"]])
                * (1_000 if cell["model"] == "event_loop" else 20_000)
            )
    return cells


def test_a_model_that_needs_more_memory_than_there_is_is_left_out() -> None:
    work = Work(10_000, 10 * MS, 1_000 * STEP_NS)
    assert asked(work, with_memory(mixed()), memory_bytes=64 << 20).verdict.best == "event_loop"
    small = asked(work, with_memory(mixed()), memory_bytes=6_000_000)
    assert small.verdict.best == "thread_pool_wide"
    assert small.left_out == (("event_loop", "needs 9.54 MiB"),)


def test_nearly_as_many_tasks_as_were_measured_hold_that_much_more() -> None:
    advice = asked(Work(12_000, 10 * MS, 1_000 * STEP_NS), with_memory(mixed()), memory_bytes=11_000_000)
    assert ("event_loop", "needs 11.4 MiB") in advice.left_out


def test_memory_beyond_what_was_measured_is_not_guessed() -> None:
    advice = asked(Work(50_000, 10 * MS, 1_000 * STEP_NS), with_memory(mixed()), memory_bytes=1 << 30)
    assert ("event_loop", "its memory with 50,000 tasks was not measured") in advice.left_out


def test_where_one_model_is_left_there_is_nothing_to_choose_and_where_none_is_no_advice() -> None:
    work = Work(10_000, 10 * MS, 1_000 * STEP_NS)
    assert "Only process_pool_wide is left" in told(asked(work, with_memory(mixed()), memory_bytes=1_000_000))
    with pytest.raises(NoAdvice, match="no answer within these limits .event_loop: needs 9.54 MiB"):
        asked(work, with_memory(mixed()), memory_bytes=1_000)


def test_a_library_that_blocks_leaves_those_whose_tasks_have_threads_of_their_own() -> None:
    advice = asked(MEASURED, blocking_library=True)
    assert advice.verdict.best == "thread_pool_wide"
    assert advice.left_out == (("event_loop", "at most 1 blocking call at once, so that the waits alone take 10.0 s"),)


def test_a_library_that_blocks_takes_nothing_from_tasks_that_do_not_wait() -> None:
    assert asked(Work(100, 0, 10 * US), mixed(sizes=((100, 0, 8_000),)), blocking_library=True).left_out == ()


def test_a_run_without_mixed_cases_or_of_one_model_gives_no_advice() -> None:
    with pytest.raises(NoAdvice, match="no mixed case was measured"):
        asked(MEASURED, replies(70, event_loop=2, fibers=2))
    with pytest.raises(NoAdvice, match="on event_loop only"):
        asked(MEASURED, mixed(models=("event_loop", "serial", "asio")))


def test_a_run_in_which_nothing_computes_knows_nothing_of_computing() -> None:
    cells = mixed(sizes=((100, 1_000, 0),))
    assert asked(Work(100, MS, 0), cells).basis == "measured"
    assert asked(Work(100, MS, 10 * US), cells).basis == "outside"


def test_too_few_rounds_are_no_verdict() -> None:
    advice = asked(MEASURED, mixed(rounds=3))
    assert "No verdict: 3 of at least 6 rounds." in told(advice)
    assert told(advice).endswith("Measure it: MEASURE")


def test_work_that_no_concurrency_makes_faster_is_told() -> None:
    advice = asked(Work(100, 0, 1.2), mixed(sizes=((100, 0, 1),)), step_ns=STEP_NS)
    assert "But one task after another, without any concurrency (serial), takes 0." in told(advice)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_missing_of_a_run_there_is_advice_or_one_line(seed: int) -> None:
    draw = random.Random(seed)
    run = copy.deepcopy(document(mixed(models=(*MODELS, "fibers")) + replies(70, event_loop=2, fibers=3)))
    dropped = {model["id"] for model in run["models"] if draw.random() < 0.3}
    run["models"] = [model for model in run["models"] if model["id"] not in dropped]
    share = draw.random()
    run["cells"] = [cell for cell in run["cells"] if cell["model"] not in dropped and draw.random() < share]
    for cell in run["cells"]:
        cell["samples"] = [sample for sample in cell["samples"] if draw.random() < share]
        cell["status"] = draw.choice(("ok",) * 8 + ("projected", "crashed"))
        cell["projected_ns"] = 10**9 if cell["status"] == "projected" else None
    for work in (MEASURED, Work(300, 5 * MS, 30 * US), Work(50_000, 0, 5 * MS)):
        limits = {"blocking_library": draw.random() < 0.3, "memory_bytes": draw.choice((None, None, 10_000_000))}
        try:
            text = told(advise(analyse(parse_run(run, "x")), Question(work, **limits)))
        except NoAdvice as line:
            text = str(line)
            assert "\n" not in text
        assert "nan" not in text and "inf" not in text.replace("inform", "")

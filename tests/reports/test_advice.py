"""Advice from a surface whose truth is known: models that follow the formula, measured with noise at a few sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reports.advice import Advice, NoAdvice, Question, advise
from reports.analysis import analyse
from reports.read import parse_run
from reports.surface import Measured, Surface, Work, errors
from tests.reports import synthetic

MS, US = 1e6, 1e3
STEP_NS = 1.2
AT_ONCE = {"event_loop": 10_000_000, "thread_pool_wide": 256, "process_pool_wide": 32, "serial": 1}
CORES = {"event_loop": 1.0, "thread_pool_wide": 2.0, "process_pool_wide": 1.8, "serial": 1.0}
OVERHEAD_NS = {"event_loop": 700.0, "thread_pool_wide": 6_000.0, "process_pool_wide": 7_000.0, "serial": 50.0}
SIZES = ((100, 1_000, 10_000), (100, 1_000, 100_000), (100, 10_000, 10_000), (100, 10_000, 100_000), (1_000, 10_000, 10_000), (10_000, 10_000, 1_000))


def truth_ns(model: str, work: Work) -> float:
    waits = -(-work.tasks // min(AT_ONCE[model], work.tasks)) * work.wait_ns
    computes = work.tasks * work.compute_ns / CORES[model]
    return max(waits, computes) + 0.6 * min(waits, computes) + work.tasks * OVERHEAD_NS[model]


def mixed(rounds: int = 12, cv: float = 0.03, sizes: tuple[tuple[int, int, int], ...] = SIZES, models: tuple[str, ...] = tuple(AT_ONCE)) -> list[dict[str, Any]]:
    cells = []
    for seed, (tasks, wait_us, steps) in enumerate(sizes):
        work = Work(tasks, wait_us * US, steps * STEP_NS)
        values = {model: (truth_ns(model, work), tasks * (work.compute_ns + OVERHEAD_NS[model])) for model in models}
        cells += synthetic.measured(values, "mixed", {"tasks": tasks, "wait_us": wait_us, "steps": steps, "in_flight": tasks}, rounds, cv, seed)
    return cells


def asked(work: Work, cells: list[dict[str, Any]] | None = None, more: list[dict[str, Any]] | None = None, **limits: Any) -> Advice:
    every = (mixed() if cells is None else cells) + (more or [])
    models = list(dict.fromkeys(cell["model"] for cell in every))
    classes = {"mixed": "mixed", "idle_tasks": "memory"}
    workloads = [{"id": id, "class": classes.get(id, "lessons")} for id in dict.fromkeys(cell["workload"] for cell in every)]
    document = synthetic.run(models, workloads, every)
    for model in document["models"]:
        model["at_once"] = AT_ONCE[model["id"]]
    return advise(analyse(parse_run(document, "x")), Question(work, **limits))


@pytest.mark.parametrize("work", [Work(300, 5 * MS, 30 * US), Work(2_000, 10 * MS, 5 * US), Work(100, 3 * MS, 120 * US)])
def test_between_measured_sizes_the_estimate_is_near_the_truth(work: Work) -> None:
    advice = asked(work)
    fastest = min(("event_loop", "thread_pool_wide", "process_pool_wide"), key=lambda model: truth_ns(model, work))
    assert advice.recommended.model == fastest
    for estimate in (advice.recommended, *advice.near, *advice.slower):
        assert estimate.time_ns == pytest.approx(truth_ns(estimate.model, work), rel=0.35)
    assert advice.outside == ()


def test_at_a_measured_size_the_estimate_is_what_was_measured() -> None:
    work = Work(1_000, 10 * MS, 10_000 * STEP_NS)
    advice = asked(work)
    assert advice.nearest.params["tasks"] == 1_000
    assert advice.recommended.model == advice.nearest.verdicts["time"].best
    assert advice.recommended.time_ns == pytest.approx(advice.nearest.medians["time"][advice.recommended.model], rel=0.02)
    assert advice.recommended.high_ns < 1.1 * advice.recommended.low_ns


def test_the_choice_flips_where_the_models_really_cross() -> None:
    advice = asked(Work(1_000, 10 * MS, 10_000 * STEP_NS))
    assert advice.recommended.model == "event_loop"
    flip = next(flip for flip in advice.flips if flip.parameter == "compute_ns" and flip.upwards)
    costs = np.geomspace(12 * US, 120 * US, 500)
    crossing = next(cost for cost in costs if truth_ns("thread_pool_wide", Work(1_000, 10 * MS, cost)) < truth_ns("event_loop", Work(1_000, 10 * MS, cost)))
    assert flip.to == "thread_pool_wide"
    assert flip.at == pytest.approx(crossing, rel=0.5)
    assert flip.low is not None and flip.low <= flip.at and (flip.high is None or flip.at <= flip.high)


def test_models_that_noise_does_not_separate_are_named_together() -> None:
    advice = asked(Work(300, 5 * MS, 30 * US), mixed(rounds=8, cv=1.0))
    assert advice.near


def test_a_question_outside_of_what_was_measured_is_answered_and_said_to_be() -> None:
    advice = asked(Work(50_000, 20 * MS, 200 * US))
    assert [note.split()[0] for note in advice.outside] == ["tasks", "wait", "compute"]
    assert "10,000" in advice.outside[0]


def test_a_model_that_needs_more_memory_than_there_is_is_left_out() -> None:
    cells = mixed()
    for cell in cells:
        for sample in cell["samples"]:
            sample["peak_rss_bytes"] = int(min(cell["params"]["tasks"], AT_ONCE[cell["model"]]) * (1_000 if cell["model"] == "event_loop" else 20_000))
    work = Work(10_000, 10 * MS, 1_000 * STEP_NS)
    assert asked(work, cells, memory_bytes=64 << 20).recommended.model == "event_loop"
    small = asked(work, cells, memory_bytes=6_000_000)
    assert small.recommended.model != "event_loop"
    assert small.excluded == (("event_loop", "needs about 9.54 MiB"),)


def blocking(**times_ms: float) -> list[dict[str, Any]]:
    return synthetic.measured({model: (time * MS, MS) for model, time in times_ms.items()}, "blocking_call", {"calls": 64, "block_us": 2_000}, 8, 0.02, 9)


def test_a_library_that_blocks_takes_the_loop_s_concurrency_away() -> None:
    work = Work(1_000, 10 * MS, 10_000 * STEP_NS)
    advice = asked(work, more=blocking(event_loop=129, thread_pool_wide=2.5, process_pool_wide=4.2), blocking_library=True)
    assert advice.recommended.model == "thread_pool_wide"
    loop = next(estimate for estimate in advice.slower if estimate.model == "event_loop")
    assert loop.time_ns > 0.9 * 1_000 * 10 * MS


def test_without_a_measurement_with_such_a_library_there_is_no_advice_about_it() -> None:
    with pytest.raises(NoAdvice, match="blocking_call"):
        asked(Work(1_000, 10 * MS, 12 * US), blocking_library=True)


def test_a_run_without_mixed_cases_gives_no_advice() -> None:
    with pytest.raises(NoAdvice, match="no mixed case"):
        asked(Work(100, MS, US), blocking(event_loop=2))


def test_the_baseline_is_told_and_never_recommended() -> None:
    advice = asked(Work(100, 1 * MS, 10_000 * STEP_NS))
    assert advice.baseline is not None and advice.baseline.model == "serial"
    assert "serial" not in {estimate.model for estimate in (advice.recommended, *advice.near, *advice.slower)}
    assert advice.baseline.ratio.value > 10


def test_the_surface_says_how_far_it_misses_what_it_has_not_seen() -> None:
    cases = [Measured(work, dict.fromkeys(range(8), truth_ns("event_loop", work))) for work in (Work(n, w * US, c * STEP_NS) for n, w, c in SIZES)]
    assert max(errors(cases, AT_ONCE["event_loop"], 2)) < 1.5
    assert errors(cases[:2], AT_ONCE["event_loop"], 2) == []


def test_the_surface_gives_the_same_answer_twice() -> None:
    cases = [Measured(Work(n, w * US, c * STEP_NS), {r: 1e7 * (1 + r) for r in range(8)}) for n, w, c in SIZES]
    first, second = (Surface(cases, 256, 2).at(Work(500, MS, 10 * US)) for _ in range(2))
    assert (first == second).all()

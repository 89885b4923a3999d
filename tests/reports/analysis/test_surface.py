"""What is estimated between measured sizes, and how far that misses."""

from __future__ import annotations

import math

import pytest
from reports.analysis.surface import Measured, Surface, Work, between
from tests.reports.analysis.test_advice import AT_ONCE, SIZES, STEP_NS, US, truth_ns

WORKS = [Work(n, w * US, c * STEP_NS) for n, w, c in SIZES]


def surface(model: str, factor: float = 1.0, works: list[Work] = WORKS) -> Surface:
    return Surface(
        {str(number): Measured(work, factor * truth_ns(model, work)) for number, work in enumerate(works)},
        AT_ONCE[model],
        2,
    )


def test_at_a_measured_size_the_estimate_is_what_was_measured() -> None:
    for work in WORKS:
        assert surface("thread_pool_wide").log_ns(work) == pytest.approx(
            math.log(truth_ns("thread_pool_wide", work)), abs=1e-6
        )


def test_it_says_how_far_it_misses_each_case_that_it_has_not_seen() -> None:
    misses = surface("event_loop").misses
    assert sorted(misses) == sorted(map(str, range(len(WORKS))))
    assert max(map(abs, misses.values())) < math.log(1.5)


def test_the_ratio_of_two_models_is_as_doubtful_as_that_of_cases_that_were_not_seen() -> None:
    work = Work(300, 5e6, 3e4)
    pools, loop = surface("process_pool_wide"), surface("event_loop")
    found = between(pools, loop, work)
    assert found.low < math.log(truth_ns("process_pool_wide", work) / truth_ns("event_loop", work)) < found.high
    missed = [pools.misses[name] - loop.misses[name] for name in loop.misses]
    assert found.error == pytest.approx(math.sqrt(sum(miss**2 for miss in missed) / len(missed)))


def test_too_few_common_cases_say_nothing_of_a_ratio() -> None:
    assert math.isinf(between(surface("event_loop", works=WORKS[:5]), surface("fibers"), WORKS[0]).high)


def test_distance_is_that_of_all_parameters_together() -> None:
    assert Work(100, 1e6, 1e4).distance(Work(1_000, 1e7, 1e5)) == pytest.approx(math.sqrt(3))
    assert Work(100, 0, 1e4).distance(Work(100, 1e3, 1e4)) == 0

"""How often the gate is wrong where the truth is known: whole checks between two simulated runs of several cases."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from reports.cases.read import parse_run
from reports.cases.run import Run
from reports.comparison.compare import compare
from reports.comparison.gate import Findings, judge
from tests.reports import synthetic
from vocabulary.terms import MAP_METRICS

TRIALS = 1000
CASES = ("fib", "nqueens", "skynet", "sleepers", "spawn")
MODELS = ("event_loop", "fibers", "process_pool", "serial", "tbb_tasks", "thread_pool")
ROUNDS = (3, 6, 6, 12, 24, 24)  # of the models of a case, each time in another order: who is slower has fewer
PROCESS = 0.02  # standard deviation between processes of one program
MACHINE = 0.2  # between runs, of all alike
CASE = 0.1  # between runs, of the models of a case alike
Rates = Mapping[str, tuple[float, float]]  # how much more time and CPU a model needs


def run(generator: np.random.Generator, cv: float, slower: Rates = {}) -> Run:
    """Rounds of a quick run: the noise of CPU is half that of time; heavy rounds as in synthetic.log_noise."""
    machine = MACHINE * generator.standard_normal()
    cells = []
    for place, workload in enumerate(CASES):
        most = max(ROUNDS)
        shift = np.exp(machine + CASE * generator.standard_normal())
        noise = [np.exp(synthetic.log_noise(generator, (most, len(MODELS)), each)) for each in (cv, cv / 2)]
        between = np.exp(PROCESS * generator.standard_normal((most, len(MODELS))))
        for column, model in enumerate(MODELS):
            rounds = ROUNDS[(column + place) % len(ROUNDS)]
            time, cpu = slower.get(model, (1.0, 1.0))
            process = [round // 2 if round < 6 else 3 + (round - 6) // 6 for round in range(rounds)]
            samples = [
                synthetic.sample(
                    r,
                    column,
                    1e6 * time * shift * noise[0][r, column] * between[process[r], column],
                    1e6 * cpu * shift * noise[1][r, column] * between[process[r], column],
                    process=process[r],
                )
                for r in range(rounds)
            ]
            cells.append(synthetic.cell(model, workload, {"n": 20}, samples=samples))
    return parse_run(
        synthetic.run(MODELS, [{"id": workload, "class": "cpu"} for workload in CASES], cells), "simulated"
    )


def checks(cv: float, trials: int, slower: Rates = {}) -> list[Findings]:
    generator = np.random.default_rng(23)
    return [
        judge(compare(run(generator, cv), run(generator, cv, slower), beside=MAP_METRICS), 0.1) for _ in range(trials)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("cv", [0.05, 0.15, 0.3])
def test_of_a_hundred_checks_of_unchanged_programs_at_most_one_has_an_alarm(cv: float) -> None:
    assert sum(found.failed for found in checks(cv, TRIALS)) <= 0.01 * TRIALS


@pytest.mark.slow
@pytest.mark.parametrize("cv", [0.05, 0.15, 0.3])
def test_a_slowdown_of_30_percent_by_cpu_is_found_in_nine_of_ten_checks_and_no_other_model_is_blamed(cv: float) -> None:
    found = checks(cv, 200, {"thread_pool": (1.0, 1.3)})
    blamed = [{change.model for change in each.regressions} for each in found]
    assert sum("thread_pool" in models for models in blamed) >= 0.9 * len(found)
    assert sum(bool(models - {"thread_pool"}) for models in blamed) <= 0.02 * len(found)


def test_few_checks_show_the_same() -> None:
    assert not any(found.failed for found in checks(0.15, 20))
    assert all(found.failed for found in checks(0.15, 10, {"thread_pool": (1.3, 1.3)}))

"""Measures one mix of waiting and computing on the representatives and two more models, for `advise --measure`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from driver.machine import host
from driver.machine.allocator import GLIBC, Allocator
from driver.machine.process_supervisor import ProcessSupervisor
from driver.machine.waiting import Waiter
from driver.measure.run import measure
from driver.prepare import build
from driver.prepare.request import Request
from driver.problem import Exit, Problem
from driver.progress import Progress, seconds
from driver.session.bench import Bench
from driver.session.preset import QUICK, SECOND
from vocabulary.representatives import BASELINE

_WORKLOAD = "mixed"
_BUDGET_NS, _MOST_NS = 30 * SECOND, 300 * SECOND
_ROUNDS = 12  # of all models, one core for each, that the budget has room for
_SERIAL_NS = 100e6  # a longer iteration of the baseline would take the time of the others
_STEPS, _TASKS = 100_000, 100  # of a case in all lists
_CALIBRATIONS = 10
_PATIENCE_NS = 20 * SECOND


@dataclass(frozen=True)
class Measured:
    """A run that was made to answer a question."""

    folder: Path
    verdict: Exit
    step_ns: float  # what a step of the computing takes
    longer: str  # the command that measures the same for longer


def measure_mix(
    wanted: Sequence[str],
    tasks: int,
    wait_ns: float,
    compute_ns: float,
    benches: Path,
    command_line: list[str],
    progress: Progress,
    say: Callable[[str], None],
) -> Measured:
    """On the `wanted` models, and on the baseline where one batch there is short."""
    programs, cores = build.programs(benches), host.cores_of_run(None)
    if BASELINE not in programs:
        raise Problem(
            f"{BASELINE} is not built, but is needed to measure a computing step: scripts/crossover run builds it"
        )
    step_ns = _step_ns(programs[BASELINE], cores, progress)
    size = {
        "tasks": tasks,
        "wait_us": round(wait_ns / 1e3),
        "steps": max(1, round(compute_ns / step_ns)) if compute_ns else 0,
    }
    if tasks * (wait_ns + compute_ns) <= _SERIAL_NS:
        wanted = [*wanted, BASELINE]
    models = [model for model in wanted if model in programs]
    budget_ns = min(_MOST_NS, max(_BUDGET_NS, round(_ROUNDS * len(models) * (tasks * compute_ns + wait_ns))))
    if budget_ns > _BUDGET_NS:
        progress.say(
            f"a batch takes about {seconds(round(tasks * compute_ns + wait_ns))} on one core: measuring for"
            f" {seconds(budget_ns)}"
        )
    request = Request(
        QUICK.with_budget(budget_ns),
        cores,
        Allocator.named(GLIBC),
        models,
        [_WORKLOAD],
        [size],
        command_line=command_line,
    )
    folder, verdict = measure(request, programs, build.servers(benches), progress)
    if verdict == Exit.INTERRUPTED:
        say(f"interrupted: what was measured is in {folder}; scripts/crossover run --resume {folder} continues")
    else:
        say(f"measured into {folder}; scripts/crossover report {folder} draws it")
    params = ",".join(f"{name}={value}" for name, value in size.items())
    return Measured(
        folder,
        verdict,
        step_ns,
        f"scripts/crossover run --models {','.join(models)} --workloads {_WORKLOAD} --size {params} --time-budget 5m",
    )


def _step_ns(program: Path, cores: int, progress: Progress) -> float:
    """The least of several samples of tasks that only compute, one after another: what disturbs can only lengthen
    it."""
    request = {
        "do": "sample",
        "workload": _WORKLOAD,
        "params": {"tasks": _TASKS, "wait_us": 0, "steps": _STEPS, "in_flight": _TASKS},
        "iterations": 1,
    }
    with Waiter(progress.tick) as waiter:
        bench = Bench(program, ["--cores", str(cores)], ProcessSupervisor(), waiter, Allocator.named(GLIBC))
        progress.tell("measuring what a step takes")
        try:
            answers = [bench.start(_PATIENCE_NS)]
            while answers[-1].outcome == "ok" and len(answers) <= _CALIBRATIONS:
                answers.append(bench.ask(request, _PATIENCE_NS))
        finally:
            bench.end()
            progress.end()
    if answers[-1].outcome != "ok":
        raise Problem(f"cannot measure a computing step: {program.name}: {answers[-1].reason}")
    return float(min(answer.body["cpu_user_ns"] + answer.body["cpu_sys_ns"] for answer in answers[1:])) / (
        _TASKS * _STEPS
    )

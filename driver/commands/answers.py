"""Answers of `crossover advise`: which model, with what bound, on what evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from driver.commands.mix import measure_mix
from driver.commands.question import Request
from driver.commands.results import check_there, readable
from driver.machine.host import host
from driver.problem import Exit, Problem
from driver.progress import Progress
from reports.analysis.advice import Advice, NoAdvice, Question, advise
from reports.analysis.mixes import WORKLOADS
from reports.analysis.surface import Work
from reports.cases.cases import analyse
from reports.cases.load import warning
from reports.cases.read import read_run
from reports.cases.run import Run
from reports.text.advice_in_words import in_words
from vocabulary.files import RUN
from vocabulary.same_machine import differences

_MOST_RUNS = 5  # newest ones, that are asked


def from_results(request: Request, results: Path, say: Callable[[str], None]) -> Exit:
    """From the run that is named, or from the newest in `results` that answers."""
    if request.run is None:
        folder, run, advice = _newest_that_answers(request, results)
    else:
        check_there(request.run)
        folder = request.run
        run, advice = _from(request, folder, f"{request.again} measures this very mix")
    _tell(folder, run, advice, f"Measure it: {request.again}", say)
    return Exit.OK


def by_measuring(
    request: Request, models: Sequence[str], benches: Path, progress: Progress, say: Callable[[str], None]
) -> Exit:
    """Measures the mix of the question, and answers from that run alone."""
    measured = measure_mix(
        models,
        request.tasks,
        request.wait_ns,
        request.compute_ns,
        benches,
        ["crossover", *request.again.split()[1:]],
        progress,
        say,
    )
    if measured.verdict == Exit.INTERRUPTED:
        return measured.verdict
    run, advice = _from(
        request,
        measured.folder,
        f"ask for fewer tasks, for shorter ones or within wider limits, or measure for longer: {measured.longer}",
        measured.step_ns,
    )
    _tell(measured.folder, run, advice, f"Measure it for longer, or on a quieter machine: {measured.longer}", say)
    return measured.verdict


def _newest_that_answers(request: Request, results: Path) -> tuple[Path, Run, Advice]:
    """Of this machine's newest runs the first that knows the mix, or else the first that knows anything like it: a run
    of other workloads hides none that went before."""
    files = sorted(results.glob(f"*/{RUN}"), key=lambda file: (file.stat().st_mtime_ns, str(file)), reverse=True)
    if not files:
        raise Problem(
            (
                f"there is no run in {results}: {request.again} measures this very mix, scripts/crossover run --full"
                " many others"
            ),
            Exit.USAGE,
        )
    near: list[tuple[Path, Run, Advice]] = []
    problems: list[Problem] = []
    for folder in (file.parent for file in files[:_MOST_RUNS]):
        try:
            run, advice = _from(request, folder, f"{request.again} measures this very mix")
        except Problem as problem:
            problems.append(problem)
            continue
        if elsewhere := _elsewhere(run):
            problems.append(
                Problem(
                    (
                        f"{folder} was measured on another machine ({elsewhere}): {request.again} measures this very"
                        f" mix here; with --run {folder} its answer is told all the same"
                    ),
                    Exit.USAGE,
                )
            )
            continue
        near.append((folder, run, advice))
        if advice.answers:
            return near[-1]
    if not near:
        raise problems[0]
    return near[0]


def _from(request: Request, folder: Path, remedy: str, step_ns: float | None = None) -> tuple[Run, Advice]:
    with readable():
        run = read_run(folder)
    analysis = analyse(replace(run, cells=tuple(cell for cell in run.cells if cell.workload in WORKLOADS)))
    question = Question(
        Work(request.tasks, request.wait_ns, request.compute_ns), request.blocking_library, request.memory_bytes
    )
    try:
        return run, advise(analysis, question, step_ns)
    except NoAdvice as lack:
        raise Problem(f"{folder}: {lack}: {remedy}", Exit.NOTHING_MATCHED) from None


def _elsewhere(run: Run) -> str:
    """In what the machine of a run differs from this one; nothing: it is this one."""
    return ", ".join(differences(run.host, host()))


def _tell(folder: Path, run: Run, advice: Advice, measure: str, say: Callable[[str], None]) -> None:
    grade = run.noise.get("grade")
    state = (
        f"{run.run.get('mode')} run on {run.run.get('cores')} cores, grade"
        f" {grade or 'unknown'}{'' if run.run.get('complete') else ', incomplete'}"
    )
    for line in in_words(advice, f"{folder}: {state}", measure):
        say(line)
    if told := warning(run):
        say(f"! {told}")
    if elsewhere := _elsewhere(run):
        say(f"! measured on another machine than this one ({elsewhere})")

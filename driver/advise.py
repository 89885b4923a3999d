"""`crossover advise`: reads the question, finds the run that answers it, and says which model, with what bound, on what evidence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from driver import document
from driver.problem import Exit, Problem

if TYPE_CHECKING:
    from reports.advice import Advice
    from reports.run import Run

_TIMES = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MOST_TASKS = 100_000_000
_MOST_NS = 86_400e9
_MOST_BYTES = 1 << 60
_MOST_RUNS = 5  # newest ones, that are asked


@dataclass(frozen=True)
class Request:
    tasks: int
    wait_ns: float
    compute_ns: float
    blocking_library: bool
    memory_bytes: int | None
    run: Path | None
    measure: bool
    again: str  # the command that measures what is asked

    def __post_init__(self) -> None:
        if self.measure and self.run is not None:
            raise Problem("--measure makes a run of its own to answer from: leave out --run", Exit.USAGE)
        if not self.wait_ns and not self.compute_ns:
            raise Problem("--wait 0 --compute 0: tasks that neither wait nor compute need no model: give one of them above 0", Exit.USAGE)


def parse_time(option: str, text: str) -> float:
    """ns of 20ms, 200us, 1.5s or 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s)", text)
    if match is None and text != "0":
        raise Problem(f"{option} {text} is no time: write 20ms, 200us, 1.5s or 0", Exit.USAGE)
    value = float(match[1]) * _TIMES[match[2]] if match else 0.0
    if value > _MOST_NS:
        raise Problem(f"{option} {text} is over a day", Exit.USAGE)
    return value


def parse_tasks(text: str) -> int:
    tasks = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    if not 1 <= tasks <= _MOST_TASKS:
        raise Problem(f"--tasks {text} is no number from 1 to {_MOST_TASKS:,}", Exit.USAGE)
    return tasks


def parse_memory(text: str) -> int:
    """Bytes of 512M, 2G, 1.5GiB."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", text)
    value = float(match[1]) * _SIZES[match[2]] if match else 0
    if not 1 <= value <= _MOST_BYTES:
        raise Problem(f"--memory {text} is no size: write 512M or 2G", Exit.USAGE)
    return round(value)


def advise(request: Request, results: Path, benches: Path | None, say: Callable[[str], None]) -> Exit:
    """`benches`: see driver.command.main."""
    if request.measure:
        return _by_measuring(request, benches, say)
    if request.run is None:
        folder, run, advice = _newest_that_answers(request, results)
    else:
        if not (request.run / document.NAME).is_file():
            raise document.nothing_in(request.run)
        folder = request.run
        run, advice = _from(request, folder, f"{request.again} measures this very mix")
    _tell(folder, run, advice, f"Measure it: {request.again}", say)
    return Exit.OK


def _by_measuring(request: Request, benches: Path | None, say: Callable[[str], None]) -> Exit:
    from driver.mix import measure_mix

    measured = measure_mix(request.tasks, request.wait_ns, request.compute_ns, benches, ["crossover", *request.again.split()[1:]], say)
    if measured.verdict == Exit.INTERRUPTED:
        return measured.verdict
    run, advice = _from(request, measured.folder, f"ask for fewer tasks, for shorter ones or within wider limits, or measure for longer: {measured.longer}", measured.step_ns)
    _tell(measured.folder, run, advice, f"Measure it for longer, or on a quieter machine: {measured.longer}", say)
    return measured.verdict


def _newest_that_answers(request: Request, results: Path) -> tuple[Path, Run, Advice]:
    """Of the newest runs the first that knows the mix, or else the first that knows anything like it: a run of other workloads hides none that went before."""
    files = sorted(results.glob(f"*/{document.NAME}"), key=lambda file: (file.stat().st_mtime_ns, str(file)), reverse=True)
    if not files:
        raise Problem(f"there is no run in {results}: {request.again} measures this very mix, scripts/crossover run --full many others", Exit.USAGE)
    near: list[tuple[Path, Run, Advice]] = []
    problems: list[Problem] = []
    for folder in (file.parent for file in files[:_MOST_RUNS]):
        try:
            run, advice = _from(request, folder, f"{request.again} measures this very mix")
        except Problem as problem:
            problems.append(problem)
            continue
        near.append((folder, run, advice))
        if advice.answers:
            return near[-1]
    if not near:
        raise problems[0]
    return near[0]


def _from(request: Request, folder: Path, remedy: str, step_ns: float | None = None) -> tuple[Run, Advice]:
    from reports.advice import NoAdvice, Question
    from reports.advice import advise as find
    from reports.analysis import analyse
    from reports.mixes import WORKLOADS
    from reports.read import ReadError, read_run
    from reports.surface import Work

    try:
        run = read_run(folder)
    except ReadError as error:
        raise Problem(str(error), Exit.CELL_FAILED) from None
    analysis = analyse(replace(run, cells=tuple(cell for cell in run.cells if cell.workload in WORKLOADS)))
    question = Question(Work(request.tasks, request.wait_ns, request.compute_ns), request.blocking_library, request.memory_bytes)
    try:
        return run, find(analysis, question, step_ns)
    except NoAdvice as lack:
        raise Problem(f"{folder}: {lack}: {remedy}", Exit.NOTHING_MATCHED) from None


def _tell(folder: Path, run: Run, advice: Advice, measure: str, say: Callable[[str], None]) -> None:
    from reports.advice_in_words import in_words
    from reports.load import warning

    grade = run.noise.get("grade")
    state = f"{run.run.get('mode')} run on {run.run.get('cores')} cores, grade {grade or 'unknown'}{'' if run.run.get('complete') else ', incomplete'}"
    for line in in_words(advice, f"{folder}: {state}", measure):
        say(line)
    if told := warning(run):
        say(f"! {told}")

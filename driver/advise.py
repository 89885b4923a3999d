"""`crossover advise`: reads the question and the run, and says which model, on what evidence, and where the choice would flip."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driver import document
from driver.problem import Exit, Problem

if TYPE_CHECKING:
    from reports.advice import Advice, Estimate, Flip
    from reports.analysis import Analysis

_TIMES = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MOST_TASKS = 100_000_000
_MOST_NS = 86_400e9
_MOST_BYTES = 1 << 60
_PARAMETERS = {"tasks": "tasks", "wait_ns": "a wait", "compute_ns": "computing"}


@dataclass(frozen=True)
class Request:
    tasks: int
    wait_ns: float
    compute_ns: float
    blocking_library: bool
    memory_bytes: int | None
    run: Path | None


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


def latest(results: Path) -> Path:
    """The newest run that is there."""
    found = sorted(results.glob(f"*/{document.NAME}"), key=lambda file: (file.stat().st_mtime_ns, str(file)))
    if not found:
        raise Problem(f"there is no run in {results}: measure with scripts/crossover run --full, or name one with --run DIR", Exit.USAGE)
    return found[-1].parent


def advise(request: Request, results: Path, say: Callable[[str], None]) -> Exit:
    from reports.advice import NoAdvice, Question
    from reports.advice import advise as find
    from reports.analysis import analyse
    from reports.read import ReadError, read_run
    from reports.surface import Work

    folder = request.run or latest(results)
    if not (folder / document.NAME).is_file():
        raise document.nothing_in(folder)
    try:
        analysis = analyse(read_run(folder))
    except ReadError as error:
        raise Problem(str(error), Exit.CELL_FAILED) from None
    try:
        advice = find(analysis, Question(Work(request.tasks, request.wait_ns, request.compute_ns), request.blocking_library, request.memory_bytes))
    except NoAdvice as error:
        raise Problem(f"{folder}: {error}", Exit.NOTHING_MATCHED) from None
    for line in _lines(advice, analysis, folder):
        say(line)
    return Exit.OK


def _lines(advice: Advice, analysis: Analysis, folder: Path) -> Iterator[str]:
    from reports.quantities import duration, size

    question, run = advice.question, analysis.run.run
    work = question.work
    limits = "; the library only blocks" if question.blocking_library else ""
    limits += f"; at most {size(question.memory_bytes)}" if question.memory_bytes is not None else ""
    yield f"{work.tasks:,} tasks at once, each waits {duration(work.wait_ns)} and computes {duration(work.compute_ns)}{limits}"
    yield f"from {folder}: {run.get('mode')} run on {run.get('cores')} cores, grade {analysis.run.noise.get('grade') or 'unknown'}{'' if run.get('complete') else ', incomplete'}"
    yield ""
    yield f"Recommended: {advice.recommended.model}: {_told(advice.recommended)}"
    for estimate in advice.near:
        yield f"  not shown to be slower: {estimate.model}: {_ratio(estimate)}; {_told(estimate)}"
    yield from _runner_up(advice)
    if advice.baseline is not None:
        yield f"  one after another ({advice.baseline.model}): {_ratio(advice.baseline)}"
    for model, why in advice.excluded:
        yield f"  left out: {model}: {why}"
    yield ""
    if advice.flips:
        yield "The choice flips"
        for flip in advice.flips:
            yield f"  to {flip.to} at {_PARAMETERS[flip.parameter]} {'from' if flip.upwards else 'down to'} {_amount(flip, flip.at)}{_where(flip)}"
    else:
        yield "The choice does not flip within what was measured of each parameter."
    yield from _evidence(advice)
    if (grade := analysis.run.noise.get("grade")) in ("C", "D"):
        yield f"! Other programs disturbed that run (grade {grade}): on a quiet machine the answer may differ."


def _told(estimate: Estimate) -> str:
    from reports.quantities import duration, size

    memory = f", {size(estimate.memory_bytes)}" if estimate.memory_bytes is not None else ""
    return f"about {duration(estimate.time_ns)} (95 % interval {duration(estimate.low_ns)} to {duration(estimate.high_ns)}), CPU {duration(estimate.cpu_ns)}{memory}"


def _ratio(estimate: Estimate) -> str:
    from reports.quantities import ratio
    from reports.words import interval_in_words

    return f"{ratio(estimate.ratio.value)} of its time, {interval_in_words(estimate.ratio)}"


def _runner_up(advice: Advice) -> Iterator[str]:
    for place, estimate in enumerate(advice.slower):
        yield f"  {'slower' if advice.near or place else 'runner-up'}: {estimate.model}: {_ratio(estimate)}; {_told(estimate)}"


def _amount(flip: Flip, value: float) -> str:
    from reports.quantities import duration

    return f"{value:,.0f}" if flip.parameter == "tasks" else duration(value)


def _where(flip: Flip) -> str:
    """The interval of the flip."""
    if flip.low is None and flip.high is None:
        return " (hardly shown: most resamples have none)"
    low = "below what was measured" if flip.low is None else _amount(flip, flip.low)
    high = "above what was measured" if flip.high is None else _amount(flip, flip.high)
    return f" (95 % interval {low} to {high})"


def _evidence(advice: Advice) -> Iterator[str]:
    from reports.quantities import duration
    from reports.words import verdict_in_words

    verdict, work = advice.nearest.verdicts["time"], advice.nearest_work
    near = f"{work.tasks:,} tasks, wait {duration(work.wait_ns)}, computing {duration(work.compute_ns)}"
    yield f"Evidence: {advice.cases} measured mixed cases; the nearest one ({near}): {verdict_in_words(verdict)}"
    if advice.missed is not None:
        yield f"A case that the estimate has not seen is missed by a factor of {advice.missed:.2f} in the middle."
    if advice.outside:
        yield f"! Outside the measured range: {'; '.join(advice.outside)}: an extrapolation, measure that size before you rely on it."

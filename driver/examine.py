"""Verbs that look at results which are there: compare and validate, and reading two runs for check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from driver import document, journal, output
from driver.cells import METRICS
from driver.front import Front
from driver.problem import Exit, Problem
from driver.selection import check_names

if TYPE_CHECKING:
    from reports.compare import Comparison
    from reports.run import Run

Say = Callable[[str], None]


@dataclass(frozen=True)
class Pair:
    """Two runs, as the command line names them."""

    before: Path
    after: Path
    metrics: Sequence[str]  # none: what decides each workload
    other_host: bool  # allowed


def read(pair: Pair) -> tuple[Run, Run]:
    from reports.compare import host_differences
    from reports.read import ReadError, read_run

    check_names("metric", pair.metrics, METRICS)
    for path in (pair.before, pair.after):
        _check_there(path)
    try:
        before, after = read_run(pair.before), read_run(pair.after)
    except ReadError as error:
        raise Problem(str(error), Exit.CELL_FAILED) from None
    if (differences := host_differences(before, after)) and not pair.other_host:
        raise Problem(f"the runs are of different hosts or settings ({'; '.join(differences)}): compare runs of one, or say --allow-different-host", Exit.USAGE)
    return before, after


def _check_there(path: Path) -> None:
    if not path.exists() or (path.is_dir() and not (path / document.NAME).is_file()):
        raise document.nothing_in(path)


def compared(pair: Pair, before: Run, after: Run, beside: Sequence[str] = ()) -> Comparison:
    """`beside`: metrics by which to compare beside the one that decides."""
    from reports.compare import compare

    comparison = compare(before, after, pair.metrics, beside)
    if not comparison.changes and not comparison.lost and not comparison.unmeasured:
        why = "those that they share owe other work than before" if comparison.other_work else "their workloads, sizes or models differ, or nothing was measured"
        raise Problem(f"{pair.before} and {pair.after} have no measured cell in common: {why}", Exit.NOTHING_MATCHED)
    return comparison


def compare(pair: Pair, front: Front, markdown: bool, out: Path | None, say: Say) -> Exit:
    """Draws the two side by side into `out`, if it is given."""
    from reports.analysis import analyse
    from reports.compare import verdict_changes
    from reports.side_by_side import front as of_front
    from reports.side_by_side import lines

    if out is not None:
        output.check_folder(out)
    before, after = read(pair)
    focus = front.of_runs(before, after)
    analyses = replace(analyse(before), focus=focus), replace(analyse(after), focus=focus)
    comparison = compared(pair, before, after)
    for line in lines(comparison, verdict_changes(before, after), markdown, of_front(*analyses, comparison)):
        say(line)
    if out is not None:
        from reports.drawn_comparison import draw

        say(str(draw(*analyses, comparison, out)))
    return Exit.OK


def validate(path: Path, say: Say) -> Exit:
    """A run.json, a verdicts.json, a samples.jsonl, or the folder of a run: its run.json, and its verdicts.json if it has one."""
    from reports.read import ReadError
    from reports.validate import faults

    if not path.exists():
        raise Problem(f"there is no {path}: give a run.json, a verdicts.json, a samples.jsonl, or the results folder of a run", Exit.USAGE)
    _check_there(path)
    if path.suffix == ".jsonl":
        return _validate_journal(path, say)
    try:
        found = faults(path)
    except ReadError as error:
        raise Problem(str(error), Exit.CELL_FAILED) from None
    for fault in found:
        say(f"{path}: {fault}")
    if found:
        raise Problem(f"{path} breaks its schema", Exit.CELL_FAILED)
    say(f"{path} keeps to its schema")
    return Exit.OK


def _validate_journal(path: Path, say: Say) -> Exit:
    if not path.is_file():  # a pipe would be waited for
        raise Problem(f"{path} is no file: give the samples.jsonl of a run", Exit.CELL_FAILED)
    text = path.read_bytes()
    try:
        events = journal.parse(text, path)
    except Problem as problem:
        raise Problem(str(problem), Exit.CELL_FAILED) from None
    if not text.endswith(b"\n"):
        raise Problem(f"{path} ends amid a line: --resume leaves that line out and goes on", Exit.CELL_FAILED)
    say(f"{path} holds {len(events)} events of a run")
    return Exit.OK

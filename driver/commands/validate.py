"""`crossover validate`: does a result file conform to its schema?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from driver.commands.results import check_there, readable
from driver.problem import Exit, Problem
from driver.session import journal
from reports.pages.validate import faults


def validate(path: Path, say: Callable[[str], None]) -> Exit:
    """A run.json, a verdicts.json, a samples.jsonl, or the folder of a run: its run.json, and its verdicts.json if it
    has one."""
    if not path.exists():
        raise Problem(
            f"there is no {path}: give a run.json, a verdicts.json, a samples.jsonl, or the results folder of a run",
            Exit.USAGE,
        )
    check_there(path)
    if path.suffix == ".jsonl":
        return _validate_journal(path, say)
    with readable():
        found = faults(path)
    for fault in found:
        say(f"{path}: {fault}")
    if found:
        raise Problem(f"{path} does not conform to its schema", Exit.CELL_FAILED)
    say(f"{path} conforms to its schema")
    return Exit.OK


def _validate_journal(path: Path, say: Callable[[str], None]) -> Exit:
    if not path.is_file():  # a pipe would be waited for
        raise Problem(f"{path} is not a file: give the samples.jsonl of a run", Exit.CELL_FAILED)
    text = path.read_bytes()
    try:
        events = journal.parse(text, path)
    except Problem as problem:
        raise Problem(str(problem), Exit.CELL_FAILED) from None
    if not text.endswith(b"\n"):
        raise Problem(f"{path} ends in the middle of a line: --resume drops that line and continues", Exit.CELL_FAILED)
    say(f"{path} holds {len(events)} events of a run")
    return Exit.OK

"""`crossover report`: draws the report of a run again."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import reports
from driver.commands.results import check_there, readable
from driver.names import check_names
from driver.prepare.request import Front
from driver.problem import Exit
from driver.refusal import refused
from reports.cases.read import read_run
from reports.cases.run import Focus, Run


def report(options: argparse.Namespace, say: Callable[[str], None]) -> Exit:
    """`crossover report`: draws the report of a run again."""
    front = Front(options.focus, options.against)
    check_there(options.dir)
    focus = None
    if front.focus:
        with readable():
            focus = focus_of(front, read_run(options.dir))
    draw(options.dir, focus)
    say(str(options.dir / "index.html"))
    return Exit.OK


def draw(folder: Path, focus: Focus | None = None) -> Sequence[str]:
    """What the report says, in a few lines."""
    try:
        with readable():
            return reports.build(folder, focus)
    except OSError as error:
        raise refused("write the report", error.filename or folder, error) from None


def focus_of(front: Front, *runs: Run) -> Focus | None:
    """Of runs that are there: a model that none of them has measured has no place in their reports. Not asked for: as
    the last of them was measured for."""
    check_names("measured model", front.models, {cell.model for run in runs for cell in run.cells if cell.samples})
    return Focus(front.focus, front.against or None) if front.focus else runs[-1].focus

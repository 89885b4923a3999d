"""Results that are there already: where a run must lie, and what is said of one that cannot be read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from driver.problem import Exit, Problem
from reports.cases.read import ReadError
from vocabulary.files import RUN


def check_there(path: Path) -> None:
    """The results folder of a run, or a file of one."""
    if not path.exists() or (path.is_dir() and not (path / RUN).is_file()):
        raise Problem(f"there is no run in {path}: give the results folder of a run, e.g. results/<id>", Exit.USAGE)


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """What cannot be read is a Problem."""
    try:
        yield
    except ReadError as error:
        raise Problem(str(error), Exit.CELL_FAILED) from None

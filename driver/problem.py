"""A problem that ends the command: one line that names the problem and the remedy, and an exit code."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of the README's list."""

    OK = 0
    REGRESSION = 1
    USAGE = 2
    ENVIRONMENT = 3
    CELL_FAILED = 4
    INCONCLUSIVE = 5
    NOTHING_MATCHED = 6
    INTERRUPTED = 130


class Problem(Exception):
    """Shown to the user as it stands, without a traceback."""

    def __init__(self, line: str, code: Exit = Exit.ENVIRONMENT) -> None:
        super().__init__(line)
        self.code = code


class Interrupted(Exception):
    """Ctrl-C or SIGTERM, raised only where no line of a result is half written."""


class OutOfTime(Exception):
    """The time budget is spent."""

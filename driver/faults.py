"""Turns exceptions of the system, or of a bug, into a Problem: one line that says what to do."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from driver.problem import Interrupted, Problem
from driver.refusal import unexpected


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """Lets through what is one already."""
    try:
        yield
    except (Problem, Interrupted):
        raise
    except Exception as error:
        raise Problem(line(error)) from None


def line(error: Exception) -> str:
    """The error and its remedy, in one line."""
    return ": ".join(filter(None, told(error)))


def told(error: Exception) -> tuple[str, str]:
    """What is wrong, and what to do about it, which may be nothing."""
    match error:
        case OSError():
            return str(unexpected(error)), ""
        case ModuleNotFoundError():
            return f"the Python module {error.name} is missing", "run scripts/setup"
        case ImportError():  # NumPy tells a page, and the cause at its end
            return f"a Python module cannot be loaded: {_last_line(error)}", "fix that, or reinstall it with apt"
        case MemoryError():
            return "there is not enough memory", "free some, or raise the limit (ulimit -v)"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        (
            f"a fault of crossover itself at {Path(frame.filename).name}:{frame.lineno}: {type(error).__name__}:"
            f" {' '.join(str(error).split())}"
        ),
        "please report it",
    )


def _last_line(error: Exception) -> str:
    lines = [text.strip() for text in str(error).splitlines() if text.strip()]
    return lines[-1].removeprefix("Original error was: ") if lines else type(error).__name__

"""Shows the progress of a run: one live line on a terminal, otherwise a plain line every five seconds."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

_LIVE_S, _PLAIN_S = 0.5, 5.0


def clock(seconds: float) -> str:
    """Minutes and seconds, as in 1:05."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def seconds(nanoseconds: int) -> str:
    """Two digits that count, and no power of ten."""
    return f"{nanoseconds / 1e9:.0f} s" if nanoseconds >= 9.95e9 else f"{nanoseconds / 1e9:.2g} s"


def silence(stream: TextIO) -> None:
    """What is written to it from now on goes nowhere, also what the interpreter would write at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Progress:
    """Cheap to tell: draws only when a line is due. A terminal that is gone, or a reader that has seen enough, is no
    reason to stop measuring."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = (
            self._stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb") and not os.environ.get("NO_COLOR")
        )
        self._every_s = _LIVE_S if self._live else _PLAIN_S
        self._begin = time.monotonic()
        self._due = self._begin + (0 if self._live else _PLAIN_S)
        self._what = ""
        self._left_s: float | None = None
        self._drawn = False

    def tell(self, what: str, left_s: float | None = None) -> None:
        """What is done now, and how long it will take; drawn at most a few times a second."""
        self._what, self._left_s = what, left_s
        if time.monotonic() >= self._due:
            self._draw()

    def tick(self) -> float:
        """Draws when due; the seconds until it is due again."""
        left = self._due - time.monotonic()
        if left > 0:
            return left
        self._draw()
        return self._every_s

    def say(self, line: str) -> None:
        """A line that stays."""
        self._clear()
        self._write(f"{line}\n")

    def end(self) -> None:
        """Removes the progress line."""
        self._clear()

    def _clear(self) -> None:
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            silence(self._stream)

    def _draw(self) -> None:
        now = time.monotonic()
        self._due = now + self._every_s
        elapsed = now - self._begin
        times = f"elapsed {clock(elapsed)}"
        if self._left_s is not None:
            total = elapsed + self._left_s
            times = f"[{100 * elapsed / total if total else 0:3.0f}%] {times} left {clock(self._left_s)}"
        line = f"{times}  {self._what}"  # what is cut on a narrow terminal is the name of the cell
        if self._live:
            self._write(f"\r\x1b[K{line[: self._width() - 1]}")
            self._drawn = True
        else:
            self._write(f"{line}\n")

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:
            return 80

"""samples.jsonl: every event of a run as one line, flushed at once. A killed driver loses at most the line it was
writing."""

from __future__ import annotations

import json
import os
from pathlib import Path

from driver.lock import Lock, take
from driver.problem import Exit, Problem
from driver.refusal import refused
from driver.session.cells import Event
from vocabulary.files import JOURNAL

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))  # made once: dumps() makes one for each call


def parse(text: bytes, path: Path) -> list[Event]:
    """Without a last line that was cut short; any other line that is no event is a Problem. `path` stands in the
    messages."""
    events = []
    for number, line in enumerate(text[: text.rfind(b"\n") + 1].splitlines(), 1):
        try:
            event = json.loads(line)
            event["event"], event["at_ns"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise corrupt(path, number) from None
        events.append(event)
    if not events or events[0]["event"] != "run":
        raise Problem(f"{path} does not begin with its run: nothing can be resumed", Exit.CELL_FAILED)
    return events


def corrupt(path: Path, number: int) -> Problem:
    """The error of a line that cannot be applied."""
    return Problem(f"{path} line {number} is not an event of a run: fix or remove that line", Exit.CELL_FAILED)


class Journal:
    """Appends. One run at a time: a second one that opens it is refused, where the file system has locks."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        try:
            self._file = open(self.path, "a+b", buffering=0)
        except OSError as error:
            raise refused("open", self.path, error) from None
        self._whole: int | None = None  # bytes that end with a line
        lock = take(self._file, self.path)
        if lock is Lock.TAKEN:
            self._file.close()
            raise Problem(f"another run is still writing into {folder}: wait until it ends")
        self.locked = lock is Lock.OURS

    @classmethod
    def to_begin(cls, folder: Path) -> Journal:
        """Of a folder into which nobody has written since it was chosen."""
        journal = cls(folder)
        if os.fstat(journal._file.fileno()).st_size:
            raise Problem(
                f"another run has meanwhile written into {folder}: name another folder with --out", Exit.USAGE
            )
        return journal

    @classmethod
    def to_resume(cls, folder: Path) -> Journal:
        """Of a folder in which a run has been begun. A Problem where there is none."""
        if not (folder / JOURNAL).is_file():
            raise Problem(f"there is no run to resume in {folder}: it has no {JOURNAL}", Exit.USAGE)
        return cls(folder)

    def read(self) -> list[Event]:
        """What is there. A line at its end that was cut short goes with the next write."""
        self._file.seek(0)
        text = self._file.readall()
        self._whole = text.rfind(b"\n") + 1
        return parse(text, self.path)

    def write(self, event: Event) -> None:
        """Appends the event. A Problem where the file system refuses."""
        rest = memoryview(_ENCODER.encode(event).encode() + b"\n")
        try:
            if self._whole is not None:
                self._file.truncate(self._whole)
                self._whole = None
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise refused(
                "write", self.path, error, then=f"continue with scripts/crossover run --resume {self.path.parent}"
            ) from None

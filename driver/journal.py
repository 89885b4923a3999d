"""samples.jsonl: every fact of a run as one line, flushed as it comes. A killed driver loses at most the line it was writing."""

from __future__ import annotations

import json
import os
from pathlib import Path

from driver.cells import Event
from driver.problem import Exit, Problem

NAME = "samples.jsonl"


def read(folder: Path) -> list[Event]:
    """Without a last line that was cut short; any other line that is no event is a Problem."""
    path = folder / NAME
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Problem(f"there is no run to resume in {folder}: it has no {NAME}", Exit.USAGE) from None
    return parse(text, path)


def parse(text: bytes, path: Path) -> list[Event]:
    """`path` stands in the messages."""
    events = []
    for number, line in enumerate(text[: text.rfind(b"\n") + 1].splitlines(), 1):
        try:
            event = json.loads(line)
            event["event"]
        except (ValueError, TypeError, KeyError):
            raise Problem(f"{path} line {number} is no event of a run: mend or remove that line") from None
        events.append(event)
    if not events or events[0]["event"] != "run":
        raise Problem(f"{path} does not begin with its run: nothing can be resumed", Exit.USAGE)
    return events


class Journal:
    """Appends. The file is cut back to its last whole line first."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file = open(self._path, "a+b", buffering=0)
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        whole = self._file.readall().rfind(b"\n") + 1
        if whole < size:
            self._file.truncate(whole)

    def write(self, event: Event) -> None:
        rest = memoryview(json.dumps(event, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise Problem(f"cannot write {self._path}: {error.strerror}: mend that, then go on with scripts/crossover run --resume {self._path.parent}") from None

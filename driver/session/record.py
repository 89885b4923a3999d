"""The state of a run as the fold of its events, measured now or read from a journal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone

from driver.session.cells import Cell, Event, Model, by_case
from driver.session.journal import Journal, corrupt


def utc_now() -> str:
    """In ISO 8601, to the millisecond."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Record:
    """Events come in by add() or replay(), and change its state in one place."""

    def __init__(self, journal: Journal, cells: dict[str, Cell]) -> None:
        self.cells = cells
        self._by_case = by_case(cells.values())
        self.models: dict[str, Model] = {}
        self.run: Event = {}
        self.end: Event = {}
        self.visits: list[Event] = []
        self.visited: Counter[str] = Counter()  # rounds that each case took part in
        self.duration_ns = 0
        self._sitting_ns = 0
        self._journal = journal

    def replay(self, events: Sequence[Event]) -> None:
        """Events of cells that are not there any more are left out."""
        for number, event in enumerate(events, 1):
            try:
                self._apply(event)
            except (KeyError, TypeError, ValueError, AttributeError):
                raise corrupt(self._journal.path, number) from None

    def add(self, event: Event) -> None:
        """Writes the event down, with the time, and applies it. A Problem where it cannot be written."""
        stamped = {**event, "at_ns": time.monotonic_ns()}
        self._journal.write(stamped)
        self._apply(stamped)

    def start(self, model: str) -> int:
        """A process of the model has been started; its number, which none before it had."""
        self.add({"event": "start", "model": model})
        return self.models[model].starts - 1

    def _apply(self, event: Event) -> None:
        at_ns = event["at_ns"]
        match event["event"]:
            case "run":
                self.run, self._sitting_ns = event, at_ns
            case "resumed":
                self._sitting_ns = at_ns
            case "model":
                model = self.models.setdefault(event["model"], Model(event["model"]))
                model.status, model.reason, model.hello = event["status"], event["reason"], event["hello"]
                model.twin_of, model.before_of = event.get("twin_of"), event.get("before_of")
            case "start":
                self.models.setdefault(event["model"], Model(event["model"])).starts += 1
            case "visit":
                self._end_visit(event)
            case "end":
                self.end = event
            case _:
                if cell := self.cells.get(event["cell"]):
                    cell.state.apply({key: value for key, value in event.items() if key != "at_ns"})
        self.duration_ns += at_ns - self._sitting_ns
        self._sitting_ns = at_ns

    def _end_visit(self, event: Event) -> None:
        self.visited[event["case"]] += 1
        self.visits.append({key: value for key, value in event.items() if key not in ("event", "at_ns")})
        for cell in self._by_case.get(event["case"], ()):
            cell.state.apply(event)

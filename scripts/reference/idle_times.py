"""When the idle tasks of a pass began and ended: what a start and an end cost, beside the memory."""

from __future__ import annotations

import time

BYTES = 4 * 8
_CALLED, _ALL_BEGUN, _FIRST_ENDED, _LAST_ENDED = range(4)


class IdleTimes:
    """Lies in memory that the workers share. Each time is written by one task."""

    def __init__(self, memory: memoryview) -> None:
        self._times = memory[:BYTES].cast("Q")

    def called(self) -> None:
        self._times[_CALLED] = time.monotonic_ns()

    def begun(self, number: int, of: int) -> None:
        """By the task that was the `number`-th to begin."""
        if number == of:
            self._times[_ALL_BEGUN] = time.monotonic_ns()

    def ended(self, number: int, of: int) -> None:
        if number == 1:
            self._times[_FIRST_ENDED] = time.monotonic_ns()
        if number == of:
            self._times[_LAST_ENDED] = time.monotonic_ns()

    def notes(self) -> dict[str, int]:
        """Until all had begun, from the call on; and from the first end to the last, which threads may note in the wrong order."""
        called, all_begun, first, last = self._times
        return {"start_ns": all_begun - called, "end_ns": last - min(first, last)}

"""When the idle tasks of a pass began and ended: what a start and an end cost, besides memory."""

from __future__ import annotations

import time

BYTES = 4 * 8
_HOLD, _CALLED, _ALL_BEGUN, _LAST_ENDED = range(4)


class IdleTimes:
    """Lies in memory that the workers share. Each time is written by one task."""

    def __init__(self, memory: memoryview) -> None:
        self._times = memory[:BYTES].cast("Q")

    def called(self, hold_ns: int) -> None:
        self._times[_HOLD] = hold_ns
        self._times[_CALLED] = time.monotonic_ns()
        self._times[_ALL_BEGUN] = 0

    def begun(self, number: int, of: int) -> None:
        """By the task that was the `number`-th to begin."""
        if number == of:
            self._times[_ALL_BEGUN] = time.monotonic_ns()

    def rest_s(self) -> float:
        """How long a task has still to sleep: all are due together. As long as others have not begun it can only wait
        on, ever longer."""
        hold, called, all_begun, _ = self._times
        now = time.monotonic_ns()
        if all_begun:
            return max(all_begun + hold - now, 0) / 1e9
        return max(hold, (now - called) // 2) / 1e9

    def ended(self, number: int, of: int) -> None:
        if number == of:
            self._times[_LAST_ENDED] = time.monotonic_ns()

    def notes(self) -> dict[str, int]:
        """From the call until all had begun; and from when all were due until the last had ended."""
        hold, called, all_begun, last = self._times
        return {"start_ns": all_begun - called, "end_ns": last - all_begun - hold}

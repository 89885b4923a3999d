"""Blocks until a child answers, without polling: wakes for its answer, a deadline, a signal or the next progress
line."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from types import FrameType

from driver.problem import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Waiter:
    """While entered, signals do not raise where they strike: they are seen at the next wait or check."""

    def __init__(self, tick: Callable[[], float]) -> None:
        """`tick` may draw progress; it returns the seconds until it wants to be called again."""
        self._tick = tick
        self._struck = False

    def __enter__(self) -> Waiter:
        self._wake, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._old_ring = signal.set_wakeup_fd(self._ring, warn_on_full_buffer=False)
        # Under nohup the end of the terminal is not to end the run.
        heard = [number for number in _SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
        self._old = {number: signal.signal(number, self._strike) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_ring)
        os.close(self._wake)
        os.close(self._ring)

    def _strike(self, _number: int, _frame: FrameType | None) -> None:
        self._struck = True

    def check(self) -> None:
        """Raises Interrupted once a signal has asked for the end."""
        if self._struck:
            raise Interrupted

    def readable(self, descriptor: int, deadline_ns: int) -> bool:
        """False at the deadline (CLOCK_MONOTONIC)."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            self.check()
            left_s = (deadline_ns - time.monotonic_ns()) / 1e9
            if left_s <= 0:
                return False
            if any(ready == descriptor for ready, _ in poll.poll(1000 * min(left_s, self._tick()) + 1)):
                return True

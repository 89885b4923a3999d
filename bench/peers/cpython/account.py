"""The work account of a check pass: counted around each item, in memory shared with forked workers."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterable
from typing import Any

from cpython.semaphores import semaphores
from cpython.shared_memory import shared_memory


class WrongResult(Exception):
    """What was done is not what the workload owes: no number may come of it."""


class Account:
    """Made before any worker is forked. Three words per item, then two counters."""

    def __init__(self, most_items: int) -> None:
        self._words = shared_memory(8 * (3 * most_items + 2)).cast("Q")
        self._most = most_items
        with semaphores():
            self._lock = multiprocessing.get_context("fork").Lock()
        self._items = 0

    def open(self, items: int) -> None:
        for place in (*range(items), 3 * self._most, 3 * self._most + 1):
            self._words[place] = 0
        self._items = items

    def begin(self, i: int) -> None:
        alive, peak = 3 * self._most, 3 * self._most + 1
        with self._lock:
            self._words[i] += 1
            self._words[alive] += 1
            self._words[peak] = max(self._words[peak], self._words[alive])
        self._words[self._most + i] = threading.get_native_id()
        self._words[2 * self._most + i] = os.getpid()

    def end(self) -> None:
        with self._lock:
            self._words[3 * self._most] -= 1

    def total(self) -> dict[str, Any]:
        """Raises WrongResult unless every item ran once and has ended."""
        for i in range(self._items):
            if (times := self._words[i]) != 1:
                raise WrongResult(f"item {i} " + (f"ran {times} times" if times else "never ran"))
        if (alive := self._words[3 * self._most]) > 0:
            raise WrongResult(f"{alive} items had not ended when the run returned")
        return {
            "executions": sum(self._words[: self._items]),
            "peak_alive": self._words[3 * self._most + 1],
            "threads": len(set(self._words[self._most : self._most + self._items])),
            "processes": len(set(self._words[2 * self._most : 2 * self._most + self._items])),
        }


def open_kernel_objects(pids: Iterable[int]) -> dict[str, int]:
    """The kinds that models wait through → the most of them that one of the processes has open."""
    most = {"eventpoll": 0, "io_uring": 0}
    for pid in pids:
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        targets = [_target(f"/proc/{pid}/fd/{descriptor}") for descriptor in descriptors]
        for kind in most:
            most[kind] = max(most[kind], targets.count(f"anon_inode:[{kind}]"))
    return most


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""

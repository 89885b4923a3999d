"""Hands a batch to an executor and keeps within its limit of items in flight."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from cpython.items.workloads import Output, Outputs


def run_all(submit: Callable[[int], Future[Output]], items: int, in_flight: int) -> Outputs:
    """The outputs in the order of the items' numbers. What an item raises comes out."""
    if in_flight >= items:
        return [future.result() for future in [submit(i) for i in range(items)]]
    slots = threading.Semaphore(in_flight)
    futures = []
    for i in range(items):
        slots.acquire()
        future = submit(i)
        future.add_done_callback(lambda _: slots.release())
        futures.append(future)
    return [future.result() for future in futures]

"""ThreadPoolExecutor: a wide pool for what waits and one thread per core for what computes; each item is a submitted
call."""

from __future__ import annotations

import queue
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from driver.machine.allowance import waits_within_limits
from cpython.items import blocking_items
from cpython.account import Account
from cpython.items.blocking_items import ITEMS, Item, Shared, Tally, first_tally
from cpython.cells import Cell
from cpython.executor import run_all
from cpython.model import Surroundings
from cpython.serve import serve
from cpython.items.workloads import Output, Outputs, Params

# The executor starts them when they are needed. More would seldom be advised, and fetch's largest size wants as many.
_WIDE = 1_000
_THREAD_BYTES = 64 * 1024  # of a stack what the interpreter touches


def _counted(item: Item, account: Account) -> Item:
    def counted(p: Params, shared: Shared, i: int) -> Output:
        account.begin(i)
        try:
            return item(p, shared, i)
        finally:
            account.end()

    return counted


class ThreadsModel:
    parallel = 1  # the interpreter lock
    back_end = ""
    helpers: frozenset[str] = frozenset()

    def __init__(self, around: Surroundings) -> None:
        self.workers: list[int] = []
        self.versions: dict[str, str] = {}
        self.guaranteed_concurrency, self.guaranteed_concurrency_limit = waits_within_limits(_WIDE, _THREAD_BYTES, 1)
        self.threads = self.guaranteed_concurrency
        self._around = around
        self._wide = ThreadPoolExecutor(self.guaranteed_concurrency)
        self._per_core = ThreadPoolExecutor(around.cores)

    def run(self, cell: Cell, counted: bool) -> Outputs:
        if cell.workload.name == "spawn":
            return self._spawn(cell, self._around.account if counted else None)
        pool = self._per_core if cell.workload.computes else self._wide
        item, p, shared = ITEMS[cell.workload.name], cell.params, self._shared(cell)
        if counted:
            item = _counted(item, self._around.account)

        def submit(i: int) -> Future[Output]:
            return pool.submit(item, p, shared, i)

        return run_all(submit, cell.items, cell.workload.in_flight(p))

    def end(self) -> None:
        self._wide.shutdown()
        self._per_core.shutdown()

    def _spawn(self, cell: Cell, account: Account | None) -> Outputs:
        if account is None:
            return [blocking_items.spawn(cell.params, self._per_core)]
        account.begin(0)
        try:
            return [blocking_items.spawn(cell.params, self._per_core)]
        finally:
            account.end()

    def _shared(self, cell: Cell) -> Shared:
        tally = Tally(threading.Lock(), [first_tally(cell.workload.name, cell.params)])
        line: queue.Queue[Any] = queue.Queue(cell.params.get("capacity", 1))
        there: queue.Queue[Any] = queue.Queue(1)
        back: queue.Queue[Any] = queue.Queue(1)
        return Shared(
            self._around.origin,
            self._around.latencies,
            self._around.idle_times,
            tally,
            Tally(threading.Lock(), [0]),
            line,
            there,
            back,
        )


def main() -> None:
    sys.exit(serve("py_threads", ThreadsModel))

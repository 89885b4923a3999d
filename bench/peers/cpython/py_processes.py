"""ProcessPoolExecutor: forked workers, each item a submitted call; what items share is made before the fork."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext

from driver.machine.allowance import waits_within_limits
from cpython.items import blocking_items
from cpython.account import Account
from cpython.items.blocking_items import ITEMS, Shared, Tally, first_tally
from cpython.cells import Cell
from cpython.executor import run_all
from cpython.model import Surroundings
from cpython.semaphores import semaphores
from cpython.serve import serve
from cpython.shared_memory import shared_memory
from cpython.items.workloads import Output, Outputs

_WIDE = 32  # as process_pool_wide: blocked workers leave the cores to others
_WORKER_BYTES = 4 << 20  # that a forked interpreter writes to

_offered: Mapping[str, tuple[Cell, Shared]] = {}
_account: Account


class _Pipe:
    """One way between two processes: half the cost of multiprocessing.Queue, which needs a thread and two locks."""

    def __init__(self) -> None:
        ends: tuple[Connection, Connection] = multiprocessing.Pipe(duplex=False)
        self._reader, self._writer = ends

    def put(self, value: int | None) -> None:
        self._writer.send(value)

    def get(self) -> int | None:
        got: int | None = self._reader.recv()
        return got


def _end_with(parent: int) -> None:
    """Idle workers would outlive a parent that is killed: each holds the other end of the pipe on which all wait."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it was killed before
        os._exit(1)


def _work(key: str, i: int) -> Output:
    cell, shared = _offered[key]
    return ITEMS[cell.workload.name](cell.params, shared, i)


def _counted_work(key: str, i: int) -> Output:
    _account.begin(i)
    try:
        return _work(key, i)
    finally:
        _account.end()


class ProcessesModel:
    threads = 1
    back_end = ""
    helpers: frozenset[str] = frozenset()

    def __init__(self, around: Surroundings) -> None:
        global _offered, _account  # what the workers find after the fork
        context = multiprocessing.get_context("fork")
        self.guaranteed_concurrency, self.guaranteed_concurrency_limit = waits_within_limits(_WIDE, _WORKER_BYTES, 1)
        with semaphores():
            _offered = {cell.key: (cell, _shared(context, cell, around)) for cell in around.cells}
            self._pool = ProcessPoolExecutor(self.guaranteed_concurrency, context, _end_with, (os.getpid(),))
        _account = around.account
        self.parallel = around.cores
        self.versions: dict[str, str] = {}
        self._pool.submit(int).result()  # forks all workers
        self.workers = [worker.pid for worker in multiprocessing.active_children() if worker.pid]

    def run(self, cell: Cell, counted: bool) -> Outputs:
        if cell.workload.name == "spawn":
            return self._spawn(cell, counted)
        key, work = cell.key, _counted_work if counted else _work
        shared = _offered[key][1]
        shared.tally.begin_at(first_tally(cell.workload.name, cell.params))
        shared.ended.begin_at(0)

        def submit(i: int) -> Future[Output]:
            return self._pool.submit(work, key, i)

        return run_all(submit, cell.items, cell.workload.in_flight(cell.params))

    def end(self) -> None:
        self._pool.shutdown()

    def _spawn(self, cell: Cell, counted: bool) -> Outputs:
        if not counted:
            return [blocking_items.spawn(cell.params, self._pool)]
        _account.begin(0)
        try:
            return [blocking_items.spawn(cell.params, self._pool)]
        finally:
            _account.end()


def _shared(context: ForkContext, cell: Cell, around: Surroundings) -> Shared:
    tally, ended = (Tally(context.Lock(), shared_memory(8).cast("Q")) for _ in range(2))
    shared = Shared(around.origin, around.latencies, around.idle_times, tally, ended)
    if not cell.workload.queues:
        return shared
    if "capacity" in cell.params:
        return replace(shared, line=context.Queue(cell.params["capacity"]))
    return replace(shared, there=_Pipe(), back=_Pipe())


def main() -> None:
    sys.exit(serve("py_processes", ProcessesModel))

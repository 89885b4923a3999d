"""asyncio: one thread, one loop of the standard library, each item a task."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from driver.machine.allowance import waits_within_limits
from cpython.account import Account
from cpython.items.async_items import ITEMS, Shared
from cpython.cells import Cell
from cpython.model import Surroundings
from cpython.serve import serve
from cpython.items.workloads import Output, Outputs

_TASK_BYTES = 2048  # one that only sleeps takes 1,570

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
Job = Callable[[int], Coroutine[Any, Any, Output]]


def _counted(job: Job, account: Account) -> Job:
    async def counted(i: int) -> Output:
        account.begin(i)
        try:
            return await job(i)
        finally:
            account.end()

    return counted


def _limited(job: Job, slots: asyncio.Semaphore) -> Job:
    async def limited(i: int) -> Output:
        async with slots:
            return await job(i)

    return limited


class AsyncioModel:
    parallel = 1
    threads = 1
    back_end = "eventpoll"
    helpers: frozenset[str] = frozenset()

    def __init__(
        self, around: Surroundings, loop_factory: LoopFactory | None = None, versions: dict[str, str] | None = None
    ) -> None:
        self.guaranteed_concurrency, self.guaranteed_concurrency_limit = waits_within_limits(10_000_000, _TASK_BYTES)
        self.workers: list[int] = []
        self.versions = versions or {}
        self._around = around
        self._runner = asyncio.Runner(loop_factory=loop_factory)
        self._runner.get_loop()

    def run(self, cell: Cell, counted: bool) -> Outputs:
        return self._runner.run(self._all(cell, self._around.account if counted else None))

    def end(self) -> None:
        self._runner.close()

    async def _all(self, cell: Cell, account: Account | None) -> Outputs:
        p = cell.params
        shared = Shared(p, self._around.origin, self._around.latencies, self._around.idle_times)
        item = ITEMS[cell.workload.name]

        def plain(i: int) -> Coroutine[Any, Any, Output]:
            coroutine: Coroutine[Any, Any, Output] = item(p, shared, i)
            return coroutine

        job: Job = plain
        if account is not None:
            job = _counted(job, account)
        if (limit := cell.workload.in_flight(p)) < cell.items:
            job = _limited(job, asyncio.Semaphore(limit))
        return await asyncio.gather(*(job(i) for i in range(cell.items)))


def main() -> None:
    sys.exit(serve("py_asyncio", AsyncioModel))

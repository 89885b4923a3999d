"""The items of each workload as coroutines for asyncio, whatever loop runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cpython.items import http_get, kernels
from cpython.items.heartbeat import Latencies, beat_async
from cpython.items.idle_times import IdleTimes
from cpython.origin import Address
from cpython.items.workloads import Output, Params


class Shared:
    """What the items of one run see of each other."""

    def __init__(self, p: Params, origin: Address | None, latencies: Latencies, idle_times: IdleTimes) -> None:
        self.origin = origin
        self.latencies = latencies
        self.left = p.get("tasks", 0)
        self.idle_times = idle_times
        self.begun = self.ended = 0
        self.producing = p.get("producers", 0)
        self.line: asyncio.Queue[int | None] = asyncio.Queue(p.get("capacity", 1))
        self.there: asyncio.Queue[int | None] = asyncio.Queue(1)
        self.back: asyncio.Queue[int | None] = asyncio.Queue(1)


Item = Callable[[Params, Shared, int], Awaitable[Output]]


async def sleepers(p: Params, _: Shared, i: int) -> Output:
    await asyncio.sleep(p["delay_us"] / 1e6)
    return (i,)


async def fetch(p: Params, shared: Shared, i: int) -> Output:
    assert shared.origin is not None
    replies = received = checksum = 0
    reader, writer = await asyncio.open_connection(shared.origin.host, shared.origin.port)
    try:
        for n in range(i, p["requests"], min(p["in_flight"], p["requests"])):
            writer.write(http_get.request(shared.origin.text, n, p["delay_us"], p["bytes"]))
            head = await reader.readuntil(http_get.END_OF_HEAD)
            body = await reader.readexactly(http_get.content_length(head))
            replies += 1
            received += len(body)
            checksum += http_get.checksum(body)
    finally:
        writer.close()
    return replies, received, checksum & kernels.WORD


async def sum_squares(p: Params, _: Shared, i: int) -> Output:
    return (kernels.sum_of_squares(p["n"]),)


async def granularity(p: Params, _: Shared, i: int) -> Output:
    return (kernels.churn(i, p["steps"]),)


async def mixed(p: Params, _: Shared, i: int) -> Output:
    if p["wait_us"]:
        await asyncio.sleep(p["wait_us"] / 1e6)
    return (kernels.churn(i, p["steps"]),)


async def producer_consumer(p: Params, shared: Shared, i: int) -> Output:
    count = total = exclusive_or = 0
    if i < p["producers"]:
        for value in range(i, p["elements"], p["producers"]):
            await shared.line.put(value)
            count, total, exclusive_or = count + 1, total + value, exclusive_or ^ value
        shared.producing -= 1
        if shared.producing == 0:
            for _ in range(p["consumers"]):
                await shared.line.put(None)  # the end mark
    else:
        while (got := await shared.line.get()) is not None:
            count, total, exclusive_or = count + 1, total + got, exclusive_or ^ got
    return count, total, exclusive_or


async def ping_pong(p: Params, shared: Shared, i: int) -> Output:
    source, target = (shared.there, shared.back) if i else (shared.back, shared.there)
    received, last = 0, -1
    if i == 0:
        await target.put(0)
    while (number := await source.get()) is not None:
        received, last = received + 1, number
        if received == p["rounds"] and i == 0:
            await target.put(None)
            break
        await target.put(number + 1)
    return received, last


async def _next(number: int) -> int:
    return number


async def spawn(p: Params, _: Shared, i: int) -> Output:
    ended = total = 0
    for number in range(p["tasks"]):
        total += await asyncio.create_task(_next(number))
        ended += 1
    return ended, total


async def responsiveness(p: Params, shared: Shared, i: int) -> Output:
    if i == 0:
        await beat_async(shared.latencies, lambda: shared.left > 0)
        return (shared.left,)
    end = kernels.churn(i, p["steps"])
    shared.left -= 1
    return (end,)


async def idle_tasks(p: Params, shared: Shared, i: int) -> Output:
    shared.begun += 1
    shared.idle_times.begun(shared.begun, p["tasks"])
    while rest := shared.idle_times.rest_s():
        await asyncio.sleep(rest)
    shared.ended += 1
    shared.idle_times.ended(shared.ended, p["tasks"])
    return (shared.begun,)


ITEMS: dict[str, Any] = {
    item.__name__: item
    for item in (
        sleepers,
        fetch,
        sum_squares,
        granularity,
        mixed,
        producer_consumer,
        ping_pong,
        spawn,
        responsiveness,
        idle_tasks,
    )
}

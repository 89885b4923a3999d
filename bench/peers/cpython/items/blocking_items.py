"""The items of each workload as plain functions that block, for the executors of threads and of processes."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, MutableSequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from cpython.items import http_get, kernels
from cpython.items.heartbeat import Latencies, beat
from cpython.items.idle_times import IdleTimes
from cpython.origin import Address
from cpython.items.workloads import Output, Params


class Line(Protocol):
    """A queue between threads or between processes."""

    def put(self, value: int | None) -> None:
        ...

    def get(self) -> int | None:
        ...


class Tally:
    """A number that several workers change."""

    def __init__(self, lock: contextlib.AbstractContextManager[Any], memory: MutableSequence[int] | memoryview) -> None:
        self._lock = lock
        self._memory = memory

    @property
    def value(self) -> int:
        return self._memory[0]

    def begin_at(self, value: int) -> None:
        self._memory[0] = value

    def add(self, amount: int) -> int:
        with self._lock:
            self._memory[0] += amount
            return self._memory[0]


@dataclass(frozen=True)
class Shared:
    """What the items of one run see of each other. `tally` counts producers at work, heavy tasks left, or tasks that
    have begun; `ended` those that have ended."""

    origin: Address | None
    latencies: Latencies
    idle_times: IdleTimes
    tally: Tally
    ended: Tally
    line: Line | None = None
    there: Line | None = None
    back: Line | None = None


def first_tally(workload: str, p: Params) -> int:
    return {"producer_consumer": p.get("producers", 0), "responsiveness": p.get("tasks", 0)}.get(workload, 0)


Item = Callable[[Params, Shared, int], Output]


def sleepers(p: Params, _: Shared, i: int) -> Output:
    time.sleep(p["delay_us"] / 1e6)
    return (i,)


def fetch(p: Params, shared: Shared, i: int) -> Output:
    assert shared.origin is not None
    replies = received = checksum = 0
    with socket.create_connection((shared.origin.host, shared.origin.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as asyncio does
        for n in range(i, p["requests"], min(p["in_flight"], p["requests"])):
            connection.sendall(http_get.request(shared.origin.text, n, p["delay_us"], p["bytes"]))
            body = _reply(connection)
            replies += 1
            received += len(body)
            checksum += http_get.checksum(body)
    return replies, received, checksum & kernels.WORD


def _reply(connection: socket.socket) -> bytes:
    reply = bytearray()
    while (end := reply.find(http_get.END_OF_HEAD)) < 0:
        reply += _received(connection)
    begin = end + len(http_get.END_OF_HEAD)
    size = http_get.content_length(bytes(reply[:begin]))
    while len(reply) < begin + size:
        reply += _received(connection)
    return bytes(reply[begin:])


def _received(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 16)
    if not part:
        raise http_get.ReplyError("the server closed the connection within a reply")
    return part


def sum_squares(p: Params, _: Shared, i: int) -> Output:
    return (kernels.sum_of_squares(p["n"]),)


def granularity(p: Params, _: Shared, i: int) -> Output:
    return (kernels.churn(i, p["steps"]),)


def mixed(p: Params, _: Shared, i: int) -> Output:
    if p["wait_us"]:
        time.sleep(p["wait_us"] / 1e6)
    return (kernels.churn(i, p["steps"]),)


def producer_consumer(p: Params, shared: Shared, i: int) -> Output:
    assert shared.line is not None
    count = total = exclusive_or = 0
    if i < p["producers"]:
        for value in range(i, p["elements"], p["producers"]):
            shared.line.put(value)
            count, total, exclusive_or = count + 1, total + value, exclusive_or ^ value
        if shared.tally.add(-1) == 0:
            for _ in range(p["consumers"]):
                shared.line.put(None)  # the end mark
    else:
        while (got := shared.line.get()) is not None:
            count, total, exclusive_or = count + 1, total + got, exclusive_or ^ got
    return count, total, exclusive_or


def ping_pong(p: Params, shared: Shared, i: int) -> Output:
    assert shared.there is not None and shared.back is not None
    source, target = (shared.there, shared.back) if i else (shared.back, shared.there)
    received, last = 0, -1
    if i == 0:
        target.put(0)
    while (number := source.get()) is not None:
        received, last = received + 1, number
        if received == p["rounds"] and i == 0:
            target.put(None)
            break
        target.put(number + 1)
    return received, last


def _next(number: int) -> int:
    return number


def spawn(p: Params, executor: Executor) -> Output:
    """In the caller's thread: a worker of a process pool cannot give that pool work."""
    ended = total = 0
    for number in range(p["tasks"]):
        total += executor.submit(_next, number).result()
        ended += 1
    return ended, total


def responsiveness(p: Params, shared: Shared, i: int) -> Output:
    if i == 0:
        beat(shared.latencies, lambda: shared.tally.value > 0)
        return (shared.tally.value,)
    end = kernels.churn(i, p["steps"])
    shared.tally.add(-1)
    return (end,)


def idle_tasks(p: Params, shared: Shared, i: int) -> Output:
    shared.idle_times.begun(shared.tally.add(1), p["tasks"])
    while rest := shared.idle_times.rest_s():
        time.sleep(rest)
    shared.idle_times.ended(shared.ended.add(1), p["tasks"])
    return (shared.tally.value,)


ITEMS: dict[str, Item] = {
    item.__name__: item
    for item in (
        sleepers,
        fetch,
        sum_squares,
        granularity,
        mixed,
        producer_consumer,
        ping_pong,
        responsiveness,
        idle_tasks,
    )
}

"""A task that is due every millisecond, and how late it runs, in the buckets that all models use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PERIOD_NS = 1_000_000
_FINE_BITS = 5  # 32 buckets for each power of two
_FINE = 1 << _FINE_BITS
_LARGEST_NS = (1 << 40) - 1
_BUCKETS = (40 - _FINE_BITS + 1) * _FINE
BYTES = 2 * 8 * _BUCKETS


def bucket_of(ns: int) -> int:
    ns = min(max(ns, 0), _LARGEST_NS)
    if ns < _FINE:
        return ns
    shift = ns.bit_length() - 1 - _FINE_BITS
    return (shift + 1) * _FINE + (ns >> shift) - _FINE


def upper_of(bucket: int) -> int:
    if bucket < _FINE:
        return bucket
    shift = bucket // _FINE - 1
    return ((bucket % _FINE + _FINE + 1) << shift) - 1


class Latencies:
    """Lies in memory that the workers share; one writer at a time."""

    def __init__(self, memory: memoryview) -> None:
        counts = memory[:BYTES].cast("Q")
        self._intended, self._service = counts[:_BUCKETS], counts[_BUCKETS:]

    def forget(self) -> None:
        for bucket in range(_BUCKETS):
            self._intended[bucket] = self._service[bucket] = 0

    def woken(self, due: int, asleep: int, rest: int, woken: int) -> int:
        """After a sleep of `rest` that began at `asleep`: when the next beat is due. A late beat makes those late that
        were due meanwhile."""
        self._service[bucket_of(woken - asleep - rest)] += 1
        while due + PERIOD_NS <= woken:
            self._intended[bucket_of(woken - due)] += 1
            due += PERIOD_NS
        self._intended[bucket_of(woken - due)] += 1
        return due

    def measured(self) -> dict[str, list[list[int]]]:
        return {"intended": _filled(self._intended), "service": _filled(self._service)}


def _filled(counts: memoryview) -> list[list[int]]:
    return [[upper_of(bucket), count] for bucket, count in enumerate(counts) if count]


def beat(latencies: Latencies, goes_on: Callable[[], bool]) -> None:
    due = time.monotonic_ns()
    while True:
        due += PERIOD_NS
        asleep = time.monotonic_ns()
        rest = max(due - asleep, 0)
        time.sleep(rest / 1e9)
        due = latencies.woken(due, asleep, rest, time.monotonic_ns())
        if not goes_on():
            return


async def beat_async(latencies: Latencies, goes_on: Callable[[], bool]) -> None:
    due = time.monotonic_ns()
    while True:
        due += PERIOD_NS
        asleep = time.monotonic_ns()
        rest = max(due - asleep, 0)
        await asyncio.sleep(rest / 1e9)
        due = latencies.woken(due, asleep, rest, time.monotonic_ns())
        if not goes_on():
            return

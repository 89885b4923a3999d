"""Each workload's items, limits, least time, and a verifier that shares no code with the items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from cpython.items.kernels import CHURN_A, CHURN_B, WORD

Params = Mapping[str, int]
Output = tuple[int, ...]  # of an item
Outputs = Sequence[Output]
UNLIMITED = 1 << 62


def _zero(_p: Params, _guaranteed_concurrency: int) -> int:
    return 0


def _plain(outputs: Outputs, _p: Params) -> Iterable[int]:
    return (word for output in outputs for word in output)


@dataclass(frozen=True)
class Workload:
    name: str
    verbs: tuple[str, ...]
    items: Callable[[Params], int]
    verify: Callable[[Params, Outputs], str]  # what is wrong, empty when all is right
    in_flight: Callable[[Params], int] = lambda _p: UNLIMITED
    together: Callable[[Params], int] = lambda _p: 1  # how many items must be alive for it to end at all
    least_ns: Callable[[Params, int], int] = _zero  # with so many items making progress together
    steps: Callable[[Params], int] = lambda _p: 0  # of the loops in kernels.py, all items together
    total: Callable[[Outputs, Params], Iterable[int]] = _plain  # the words by which models are compared
    queues: bool = False
    computes: bool = False  # and never waits
    latencies: bool = False
    idles: bool = False  # and notes when its tasks begin and end


def checksum(workload: Workload, p: Params, outputs: Outputs) -> str:
    """As the C++ benches stir their outputs: FNV-1a, eight bytes at a time."""
    words = 0xCBF29CE484222325
    for word in workload.total(outputs, p):
        words = ((words ^ word) * 0x100000001B3) & WORD
        words ^= words >> 29
    return f"{words:016x}"


def _waves(tasks: int, *limits: int) -> int:
    return -(-tasks // min(tasks, *limits))


def _each(outputs: Outputs, owed: Callable[[int], Output], what: str) -> str:
    for i, output in enumerate(outputs):
        if output != owed(i):
            return f"{what} {i} gave {output}, not {owed(i)}"
    return ""


def _triangle(n: int) -> int:
    return n * (n - 1) // 2


def _churned(steps: int) -> Callable[[int], int]:
    """n steps of x → a x + b as one, put together from those of 1, 2, 4, ... steps."""
    a, b, power_a, power_b = 1, 0, CHURN_A, CHURN_B
    while steps:
        if steps & 1:
            a, b = a * power_a & WORD, (b * power_a + power_b) & WORD
        power_a, power_b = power_a * power_a & WORD, power_b * (power_a + 1) & WORD
        steps >>= 1
    return lambda seed: (a * seed + b) & WORD


def _verify_sums(p: Params, outputs: Outputs) -> str:
    n = p["n"]
    owed = (n - 1) * n * (2 * n - 1) // 6 & WORD
    return _each(outputs, lambda i: (owed,), "sum")


def _verify_churn(p: Params, outputs: Outputs) -> str:
    owed = _churned(p["steps"])
    return _each(outputs, lambda i: (owed(i),), "item")


def _verify_responsiveness(p: Params, outputs: Outputs) -> str:
    owed = _churned(p["steps"])
    return _each(outputs, lambda i: (owed(i) if i else 0,), "task")


def _first_word(n: int) -> int:
    n = (n + 0x9E3779B97F4A7C15) & WORD
    n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9 & WORD
    n = (n ^ n >> 27) * 0x94D049BB133111EB & WORD
    return n ^ n >> 31


def _body_checksum(n: int, size: int) -> int:
    """Of what the origin sends as item n: the sum of (2k + 1) × word k, the last one cut."""
    words = [_first_word(n), *(k * 0x9E3779B97F4A7C15 & WORD for k in range(1, (size + 7) // 8))]
    if size % 8:
        words[-1] &= (1 << 8 * (size % 8)) - 1
    return sum((2 * k + 1) * word for k, word in enumerate(words)) & WORD if size else 0


def _verify_fetch(p: Params, outputs: Outputs) -> str:
    def owed(i: int) -> Output:
        numbers = range(i, p["requests"], len(outputs))
        return len(numbers), len(numbers) * p["bytes"], sum(_body_checksum(n, p["bytes"]) for n in numbers) & WORD

    return _each(outputs, owed, "connection")


def _fetch_least_ns(p: Params, guaranteed_concurrency: int) -> int:
    items = min(p["in_flight"], p["requests"])
    return -(-p["requests"] // min(items, guaranteed_concurrency)) * p["delay_us"] * 1000


def _queue_total(outputs: Outputs, p: Params) -> Iterable[int]:
    """All that was pushed, and all that was popped: who got what is not known beforehand."""
    for side in (outputs[: p["producers"]], outputs[p["producers"] :]):
        yield sum(output[0] for output in side)
        yield sum(output[1] for output in side)
        yield reduce(lambda x, y: x ^ y, (output[2] for output in side), 0)


def _verify_queue(p: Params, outputs: Outputs) -> str:
    n = p["elements"]
    owed = [n, _triangle(n), (n - 1, 1, n, 0)[(n - 1) % 4]]  # the last: 0 ^ 1 ^ ... ^ n - 1
    seen = list(_queue_total(outputs, p))
    return "" if seen == owed + owed else f"pushed and popped were {seen}, owed is twice {owed}"


def _verify_ping_pong(p: Params, outputs: Outputs) -> str:
    return _each(outputs, lambda i: (p["rounds"], 2 * p["rounds"] - (2 if i else 1)), "player")


def _verify_spawn(p: Params, outputs: Outputs) -> str:
    return _each(outputs, lambda i: (p["tasks"], _triangle(p["tasks"])), "item")


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "sleepers",
            ("can_sleep",),
            items=lambda p: p["tasks"],
            verify=lambda p, outputs: _each(outputs, lambda i: (i,), "sleeper"),
            in_flight=lambda p: p["in_flight"],
            least_ns=lambda p, guaranteed_concurrency: _waves(p["tasks"], p["in_flight"], guaranteed_concurrency)
            * p["delay_us"]
            * 1000,
        ),
        Workload(
            "fetch",
            ("can_connect",),
            items=lambda p: min(p["in_flight"], p["requests"]),
            verify=_verify_fetch,
            least_ns=_fetch_least_ns,
        ),
        Workload(
            "sum_squares",
            (),
            items=lambda p: p["tasks"],
            verify=_verify_sums,
            steps=lambda p: p["tasks"] * p["n"],
            computes=True,
        ),
        Workload(
            "granularity",
            (),
            items=lambda p: p["tasks"],
            verify=_verify_churn,
            steps=lambda p: p["tasks"] * p["steps"],
            computes=True,
        ),
        Workload(
            "mixed",
            ("can_sleep",),
            items=lambda p: p["tasks"],
            verify=_verify_churn,
            steps=lambda p: p["tasks"] * p["steps"],
            in_flight=lambda p: p["in_flight"],
            least_ns=lambda p, guaranteed_concurrency: _waves(p["tasks"], p["in_flight"], guaranteed_concurrency)
            * p["wait_us"]
            * 1000,
        ),
        Workload(
            "producer_consumer",
            ("can_queue",),
            items=lambda p: p["producers"] + p["consumers"],
            together=lambda p: p["producers"] + p["consumers"],
            verify=_verify_queue,
            total=_queue_total,
            queues=True,
        ),
        Workload(
            "ping_pong",
            ("can_queue",),
            items=lambda _p: 2,
            together=lambda _p: 2,
            verify=_verify_ping_pong,
            queues=True,
        ),
        Workload("spawn", ("can_fork",), items=lambda _p: 1, verify=_verify_spawn),
        Workload(
            "responsiveness",
            ("can_sleep",),
            items=lambda p: 1 + p["tasks"],
            together=lambda _p: 2,
            verify=_verify_responsiveness,
            steps=lambda p: p["tasks"] * p["steps"],
            latencies=True,
        ),
        Workload(
            "idle_tasks",
            ("can_sleep",),
            items=lambda p: p["tasks"],
            together=lambda p: p["tasks"],
            verify=lambda p, outputs: _each(outputs, lambda _i: (p["tasks"],), "task"),
            least_ns=lambda p, _guaranteed_concurrency: p["hold_us"] * 1000,
            idles=True,
        ),
    )
}

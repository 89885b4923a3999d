"""The interface of a CPython model: what the sampler and the protocol require."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cpython.account import Account
from cpython.cells import Cell
from cpython.items.heartbeat import Latencies
from cpython.items.idle_times import IdleTimes
from cpython.origin import Address
from cpython.items.workloads import Outputs


@dataclass(frozen=True)
class Surroundings:
    """What a model is given to be made with; the cells are all that it will be asked for."""

    cores: int
    origin: Address | None
    cells: Sequence[Cell]
    account: Account
    latencies: Latencies
    idle_times: IdleTimes


class Model(Protocol):
    guaranteed_concurrency: int  # how many items are guaranteed to make progress concurrently
    guaranteed_concurrency_limit: str  # what sets that; may be empty
    parallel: int  # how many run Python code at the same moment
    threads: int
    workers: list[int]  # process ids, all alive
    back_end: str  # the kernel object that its waits go through
    helpers: frozenset[str]  # further kernel objects that its library may open
    versions: dict[str, str]

    def run(self, cell: Cell, counted: bool) -> Outputs:
        """All items of one iteration, in the order of their numbers; `counted`: each is counted in the account. What an
        item raises comes out."""

    def end(self) -> None:
        """Leaves no thread and no process behind."""

"""What a model of the reference has to be: all that the sampler and the protocol ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reference.account import Account
from reference.cells import Cell
from reference.heartbeat import Latencies
from reference.idle_times import IdleTimes
from reference.origin import Address
from reference.workloads import Outputs


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
    at_once: int  # how many items surely make progress together
    at_once_limit: str  # what sets that; may be empty
    parallel: int  # how many run Python code at the same moment
    threads: int
    workers: list[int]  # process ids, all alive
    back_end: str  # the kernel object that its waits go through
    versions: dict[str, str]

    def run(self, cell: Cell, gated: bool) -> Outputs:
        """All items of one iteration, in the order of their numbers; `gated`: each is counted in the account. What an item raises comes out."""

    def end(self) -> None:
        """Leaves no thread and no process behind."""

"""A cell of a model on the program that is built here, and the same on that of a second revision."""

from __future__ import annotations

from dataclasses import dataclass

from driver.cells import Cell
from driver.plan import sample_cost_ns


@dataclass
class Pair:
    now: Cell
    before: Cell

    @property
    def cells(self) -> tuple[Cell, Cell]:
        return self.now, self.before

    @property
    def able(self) -> bool:
        return all(cell.waits and cell.iterations is not None for cell in self.cells)

    @property
    def done(self) -> int:
        return min(len(cell.samples) for cell in self.cells)

    @property
    def cost_ns(self) -> int:
        """Of a round."""
        return sum(map(sample_cost_ns, self.cells))

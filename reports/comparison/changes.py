"""What all cases of two runs show in one metric: how each model changed, without the machine's part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from reports.cases.run import Cell
from reports.comparison import pairing
from reports.comparison.machine import machine
from reports.comparison.pairing import Pairing
from verdicts.statistics import Estimate, difference

_FEW = 2  # others: one that changed moves their middle
# times the error beside so few: what moves one of them between two runs for no reason of its program is not evened out
_UNSURE = math.sqrt(2)


class Changes:
    """The changes of all models between two runs, in one metric."""

    def __init__(self, pairings: Mapping[str, Pairing], classes: Mapping[str, str]) -> None:
        """Both by case; `classes`: the kinds of work."""
        self._pairings = pairings
        self._classes = classes
        sides = [
            side
            for case in pairings.values()
            for model in case.pairs
            for side in case.against_others(model) or case.alone(model) or ()
        ]
        self._usual = median(side.spread for side in sides) if sides else 0.0
        self.together = {
            name: pairing.change(both, self._usual) for name, case in pairings.items() if (both := case.together())
        }

    def of(self, case: str, model: str) -> Estimate | None:
        """After / before; None with fewer than two rounds in either run. Beside few others, of which one may be what
        has changed, the machine decides who it was."""
        paired = self._pairings[case]
        alone = paired.alone(model)
        if alone is None:
            return None
        own = difference(pairing.change(alone, self._usual), self._machine(case))
        sides = paired.against_others(model)
        if sides is None:
            return own
        others = paired.together(but=model)
        if others is not None and paired.others(model) <= _FEW:
            moved = pairing.change(others, self._usual).value - self._machine(case).value
            if abs(moved) > abs(own.value):
                return own
            found = pairing.change(sides, self._usual)
            return replace(found, error=found.error * _UNSURE)
        return pairing.change(sides, self._usual)

    def at_least(self, case: str, before: Cell, projected_ns: int) -> Estimate | None:
        """The same of a cell of which one iteration is all that is known now."""
        paired = self._pairings[case]
        sides = paired.projected(before, math.log(projected_ns))
        return None if sides is None else pairing.change(sides, self._usual)

    def _machine(self, case: str) -> Estimate:
        return machine({name: moved.value for name, moved in self.together.items()}, self._classes, case)

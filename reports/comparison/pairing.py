"""One case in two runs, in one metric: how each of its models moved against the others, and how all moved together.

What a model needs is compared with the others within the rounds of each run; the change is the difference between the
runs. What slows the machine slows all of them, so that it drops out; what moves alone has changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from reports.cases.run import Cell
from verdicts import statistics
from verdicts.statistics import Estimate
from vocabulary.looks import LOOKS

# From unchanged programs, measured in short runs beside four others that compile on the same two cores (60 to 90 %
# background load, every visit disturbed): By so much the error grows where all rounds are disturbed: rounds that follow
# each other share the load, so they tell less than as many of their own. Time the more: what several threads or
# processes come to depends on how many others there are.
_ALIKE = {"cpu": 0.1, "memory": 0.1, "time": 1.0, "latency": 1.0}
# error of one disturbed round: three in a row of a pool of processes cost 25 times as much as ever else, by time and by
# CPU
_MOMENT = 2.0
_LEANS = 4.0  # degrees of freedom: few rounds take over as much of the usual spread of this comparison


@dataclass(frozen=True)
class Side:
    """A mean of logarithms over the rounds of one run."""

    metric: str
    raw: Estimate  # from its rounds alone
    rounds: int
    disturbed: float  # share of them

    @property
    def spread(self) -> float:
        """The variance of one round."""
        return self.raw.error**2 * self.rounds

    def estimate(self, usual: float) -> Estimate:
        """`usual`: the variance of one round in other cases."""
        freedom = self.raw.freedom + _LEANS
        spread = (self.raw.freedom * self.spread + _LEANS * usual) / freedom
        error = math.sqrt(spread / self.rounds) * (1 + _ALIKE[self.metric] * self.disturbed)
        if self.rounds < LOOKS[0]:
            error = math.hypot(error, _MOMENT * self.disturbed / math.sqrt(self.rounds))
        return Estimate(self.raw.value, error, freedom)


Sides = tuple[Side, Side]  # before, after
Logs = Mapping[int, float]  # by round


def change(sides: Sides, usual: float) -> Estimate:
    """The logarithm of after over before. `usual`: the spread that rounds usually have."""
    before, after = (side.estimate(usual) for side in sides)
    return statistics.difference(after, before)


@dataclass(frozen=True)
class Pairing:
    """Of the models that were measured in both runs."""

    metric: str
    pairs: Mapping[str, tuple[Cell, Cell]]
    disturbed: tuple[frozenset[int], frozenset[int]]  # rounds

    @cached_property
    def _logs(self) -> dict[str, tuple[Logs, Logs]]:
        """Around what is usual for the model, the same in both runs: so those that some round lacks do not move the
        middle of the others."""
        found: dict[str, tuple[Logs, Logs]] = {}
        for model, cells in self.pairs.items():
            both = [{round: math.log(value) for round, value in cell.by_round(self.metric).items()} for cell in cells]
            centre = sum(median(logs.values()) for logs in both) / 2
            before, after = ({round: log - centre for round, log in logs.items()} for logs in both)
            found[model] = (before, after)
        return found

    def _middle(self, place: int, but: str = "") -> Logs:
        """Of all models, or of all others, by round."""
        values: dict[int, list[float]] = {}
        for model, logs in self._logs.items():
            if model != but:
                for round, log in logs[place].items():
                    values.setdefault(round, []).append(log)
        return {round: median(found) for round, found in values.items()}

    def _side(self, place: int, logs: Logs, process: Mapping[int, int]) -> Side | None:
        if len(logs) < 2:
            return None
        rounds = sorted(logs)
        raw = statistics.estimate(
            [logs[round] for round in rounds], [process[round] for round in rounds] if process else ()
        )
        return Side(self.metric, raw, len(rounds), len(self.disturbed[place].intersection(rounds)) / len(rounds))

    def _sides(self, logs: Sequence[Logs], processes: Sequence[Mapping[int, int]] = ({}, {})) -> Sides | None:
        before, after = (self._side(place, logs[place], processes[place]) for place in (0, 1))
        return (before, after) if before and after else None

    def together(self, but: str = "") -> Sides | None:
        """All models, or all others."""
        return self._sides([self._middle(place, but) for place in (0, 1)])

    def alone(self, model: str) -> Sides | None:
        """The model, against nothing."""
        return self._sides(self._logs[model], self._processes(model))

    def against_others(self, model: str) -> Sides | None:
        """None without another model, or with fewer than two common rounds in either run."""
        logs = []
        for place, own in enumerate(self._logs[model]):
            others = self._middle(place, model)
            logs.append({round: log - others[round] for round, log in own.items() if round in others})
        return self._sides(logs, self._processes(model))

    def projected(self, cell: Cell, now: float) -> Sides | None:
        """Of a cell that was measured before and of which only that logarithm is known now. None where nothing else was
        measured in both runs."""
        middles = self._middle(0), self._middle(1)
        old = {
            round: math.log(value) - middles[0][round]
            for round, value in cell.by_round(self.metric).items()
            if round in middles[0]
        }
        before = self._side(0, old, {sample.round: sample.process for sample in cell.samples})
        if before is None or not middles[1]:
            return None
        disturbed = len(self.disturbed[1] & middles[1].keys()) / len(middles[1])
        return before, Side(self.metric, Estimate(now - median(middles[1].values()), 0.0, 0.0), 1, disturbed)

    def others(self, model: str) -> float:
        """How many of them were measured beside the model in a round, in the middle; of the run in which they were
        fewer."""
        counts = [
            median(sum(round in logs[place] for other, logs in self._logs.items() if other != model) for round in own)
            for place, own in enumerate(self._logs[model])
        ]
        return min(counts)

    def _processes(self, model: str) -> list[dict[int, int]]:
        return [{sample.round: sample.process for sample in cell.samples} for cell in self.pairs[model]]

"""The schedule of a check against a second revision: both programs of each model in the same rounds, one right after
the other, in alternating order.

All pairs have the first rounds. Then the cheapest that is still open goes on to its next look, until each is shown to
be worse than the threshold or shown to be within it, or the time is spent.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from driver.measure.rounds import is_worn, take
from driver.prepare.calibrate import calibrate
from driver.prepare.plan import ROUNDS_OF_A_PROCESS, sample_cost_ns
from driver.problem import OutOfTime
from driver.session.cells import Cell, by_case
from driver.session.session import Session
from verdicts.regression import LEVEL, SEEN, ratio
from verdicts.statistics import Estimate, Series
from vocabulary.looks import LOOKS
from vocabulary.sample import Sample, by_round
from vocabulary.terms import MAP_METRICS

_TOGETHER = 10  # pairs whose rounds alternate: rounds of one in a row would share a moment of the machine
_FIRST_SHARE = 0.7  # of the time that is left for the first rounds
_CALIBRATION_SHARE = 3  # 1/3 of the budget at most


@dataclass
class Pair:
    """A model's program built here, and that of a second revision, on one case."""

    now: Cell
    before: Cell

    @property
    def cells(self) -> tuple[Cell, Cell]:
        """First the cell of the program that is built here."""
        return self.now, self.before

    @property
    def able(self) -> bool:
        """Both can be measured."""
        return all(cell.state.ready for cell in self.cells)

    @property
    def done(self) -> int:
        """How many rounds both have."""
        return min(len(cell.state.samples) for cell in self.cells)

    @property
    def cost_ns(self) -> int:
        """Of a round."""
        return sum(map(sample_cost_ns, self.cells))


def run_interleaved(session: Session, pairs: Sequence[Pair], threshold: float, seed: int) -> str:
    """Why it stopped."""
    run = _Interleaved(session, pairs, math.log1p(threshold), seed)
    try:
        return run.all()
    except OutOfTime:
        return "time budget"


class _Interleaved:
    def __init__(self, session: Session, pairs: Sequence[Pair], limit: float, seed: int) -> None:
        self._session = session
        self._pairs = list(pairs)
        self._limit = limit
        self._seed = seed

    def all(self) -> str:
        # odd ones out are sought among programs of one revision
        for cells in ([pair.before for pair in self._pairs], [pair.now for pair in self._pairs]):
            calibrate(
                self._session,
                cells,
                cells,
                self._session.preset.budget_ns - self._session.preset.budget_ns // _CALIBRATION_SHARE,
            )
        self._drop(
            [pair for pair in self._pairs if pair.able and pair.now.state.checksum != pair.before.state.checksum],
            "the two revisions owe different work",
        )
        able = [pair for pair in self._pairs if pair.able]
        if not able:
            return "nothing left to measure"
        left_ns, fits = self._session.left_ns() * _FIRST_SHARE, []
        for pair in sorted(able, key=lambda pair: pair.cost_ns):
            left_ns -= LOOKS[0] * pair.cost_ns
            if left_ns > 0:
                fits.append(pair)
        self._drop([pair for pair in able if pair not in fits], "left out: the time budget is too short for it")
        self._sweeps(fits, {id(pair): LOOKS[0] for pair in fits})
        while chosen := self._next(fits):
            self._sweeps(chosen, {id(pair): self._look(pair) or 0 for pair in chosen})
        return "all cases are decided" if all(self._decided(pair, len(fits)) for pair in fits) else "time budget"

    def _drop(self, pairs: Iterable[Pair], reason: str) -> None:
        for cell in (cell for pair in pairs for cell in pair.cells):
            self._session.record.add({"event": "left_out", "cell": cell.id, "reason": reason})

    def _look(self, pair: Pair) -> int | None:
        return next((look for look in LOOKS if look > pair.done), None)

    def _next(self, pairs: Sequence[Pair]) -> list[Pair]:
        def cost_ns(pair: Pair) -> int:
            return ((self._look(pair) or 0) - pair.done) * pair.cost_ns

        chosen: list[Pair] = []
        left_ns = self._session.left_ns()
        undecided = [
            pair for pair in pairs if pair.able and self._look(pair) is not None and not self._decided(pair, len(pairs))
        ]
        for pair in sorted(undecided, key=cost_ns):
            left_ns -= cost_ns(pair)
            if left_ns > 0 and len(chosen) < _TOGETHER:
                chosen.append(pair)
        return chosen

    def _decided(self, pair: Pair, pairs: int) -> bool:
        """Shown to be worse in some metric, or within the threshold in all."""
        metrics = [
            metric
            for metric in dict.fromkeys((pair.now.case.metric, *MAP_METRICS))
            if metric != "time" or not pair.now.case.paced_by
        ]
        found = [self._ratio(pair, metric) for metric in metrics]
        compared = pairs * len(MAP_METRICS)
        if any(each is not None and each.beyond(self._limit) * SEEN <= LEVEL / compared for each in found):
            return True
        return all(each is not None and each.bounds().high <= self._limit for each in found)

    def _ratio(self, pair: Pair, metric: str) -> Estimate | None:
        now, before = (self._series(cell, metric) for cell in pair.cells)
        return ratio(now, before)

    def _series(self, cell: Cell, metric: str) -> Series:
        processes = self._session.record.models[cell.model].hello.get("resources", {}).get("processes", 1)
        samples = [Sample.of(sample) for sample in cell.state.samples]
        return Series(
            by_round(metric, samples, processes, cell.state.offered_per_s is not None),
            {sample.round: sample.process for sample in samples},
        )

    def _sweeps(self, pairs: Sequence[Pair], target_rounds: dict[int, int]) -> None:
        """A round of each case with those of its pairs that want one, in fresh random order, until none does."""
        while going := [pair for pair in pairs if pair.able and pair.done < target_rounds[id(pair)]]:
            cases = list(by_case(pair.now for pair in going))
            random.Random(f"{self._seed}:{len(self._session.record.visits)}").shuffle(cases)
            for case in cases:
                self._round([pair for pair in going if pair.now.case.name == case])

    def _round(self, pairs: list[Pair]) -> None:
        session, name = self._session, pairs[0].now.case.name
        number = session.record.visited[name]
        random.Random(f"{self._seed}:{name}:{number}").shuffle(pairs)
        for pair in pairs:
            most = session.preset.first_of_a_process if pair.done < LOOKS[0] else ROUNDS_OF_A_PROCESS
            for cell in pair.cells if any(is_worn(session, cell, most) for cell in pair.cells) else ():
                session.renew(cell.model)
        with session.visit([cell for pair in pairs for cell in pair.cells], number) as claimed:
            for place, pair in enumerate(pairs):
                for position, cell in enumerate(pair.cells if pair.done % 2 else pair.cells[::-1]):
                    session.progress.tell(f"round {number + 1} {cell.id}", session.left_ns() / 1e9)
                    while cell.state.waits and not (cell.state.samples and cell.state.samples[-1]["round"] == number):
                        claimed.append(take(session, cell, number, 2 * place + position))

"""Evidence for or against a claim: two measurements of a run, how far apart they are, and whether that is shown to be
beyond a limit.

What tutorials say of a model they say of what they mean by the word: its textbook variant speaks for it, where the run
has one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from reports.cases import quantities
from reports.cases.cases import Analysis, Case, verdict_among
from reports.cases.load import withheld
from reports.cases.phrases import absence, interval_in_words
from reports.cases.run import Cell
from verdicts import statistics
from verdicts.deciding import CLEARLY_SLOWER, Verdict
from verdicts.statistics import Ratio, Series
from vocabulary.looks import LEAST_ROUNDS, looks_of
from vocabulary.terms import METRIC_NAMES

Side = Literal["C++", "CPython"]
MEAN_DELAY = "mean delay"  # of the latencies of a sample: one has too few heartbeats for a high percentile
_NAMES = {**METRIC_NAMES, MEAN_DELAY: MEAN_DELAY}
NOTHING = "–"  # stands for what was not measured
_STOPPED_ROUNDS = 3  # after which a run stops a model that is clearly slower


@dataclass(frozen=True)
class Expectation:
    """`least`: the ratio is at least the limit; else it is at most that."""

    limit: float
    least: bool

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.limit:.4g}×"

    def judged(self, low: float, high: float) -> bool | None:
        """Of a ratio that lies surely between the two."""
        if self.least:
            return True if low >= self.limit else False if high < self.limit else None
        return True if high <= self.limit else False if low > self.limit else None


def at_least(limit: float) -> Expectation:
    """Expects a value of the limit or more."""
    return Expectation(limit, True)


def at_most(limit: float) -> Expectation:
    """Expects a value of the limit or less."""
    return Expectation(limit, False)


MS = 1e6  # in ns
AS_OWED = at_most(1.25)  # "takes the sum", "takes 0.1 s": a quarter for what the machine adds to waits of milliseconds


@dataclass(frozen=True)
class Share:
    """Of all cases or samples, those in which something is shown, and those in which it may be: 0 to 1. `least`:
    expected in at least `limit` of them, else in at most that."""

    shown: float
    possible: float
    limit: float
    least: bool


@dataclass(frozen=True)
class Check:
    """One piece of evidence. `holds` is None where neither it nor its contrary is shown; `note` then says why."""

    what: str  # is measured, in words
    side: Side
    expected: str
    measured: str
    holds: bool | None
    note: str = ""
    ratio: Ratio | None = None
    limit: Expectation | None = None
    cells: str = ""  # that were measured for it
    share: Share | None = None  # instead of a ratio
    bound: Literal["", ">", "<"] = ""  # where the ratio is known to be beyond a value only
    engineering: Literal["", "textbook", "best"] = ""  # of which variants, where both were measured
    judges: bool = True  # else it only stands beside the one that does


def named(check: Check) -> str:
    """What was checked, with the side unless that is C++."""
    what = f"{check.what} ({check.engineering})" if check.engineering else check.what
    return what if check.side == "C++" else f"{check.side}: {what}"


@dataclass(frozen=True)
class Point:
    """A measurement: a model in the case of a workload that has these parameters."""

    model: str
    workload: str
    params: Mapping[str, int]
    metric: str = "time"

    @property
    def size(self) -> str:
        """Its params as people read them."""
        return quantities.params(self.params, self.params)

    @property
    def named(self) -> str:
        """The workload with its size."""
        return f"{self.workload} ({self.size})" if self.params else self.workload


class _Missing(Exception):
    """Why there is nothing to compare."""


class Evidence:
    """What a run has to say. Pure: the same analysis gives the same evidence."""

    def __init__(self, analysis: Analysis, textbooks: Mapping[str, str] | None = None) -> None:
        """`textbooks`: model → the one that speaks for it."""
        self.analysis = analysis
        self.textbooks = textbooks or {}
        self.asked: list[Point] = []

    def spoken(self, *points: Point) -> tuple[Point, ...]:
        """By textbook variants; by none of them where one has no number, as textbook and best are not to be
        compared."""
        textbooks = tuple(replace(point, model=self.textbooks.get(point.model, point.model)) for point in points)
        self.asked += [*points, *textbooks]
        cells = [self.cell(point) for point in textbooks]
        return textbooks if all(cell is not None and cell.status in ("ok", "projected") for cell in cells) else points

    def contest(self, case: Case, metric: str) -> tuple[set[str], Verdict]:
        """Who competes in a case, and the verdict."""
        measured = {model for model, cell in case.cells.items() if cell.status == "ok" and cell.samples}
        spoken = {
            textbook if (textbook := self.textbooks.get(model)) in measured and textbook else model
            for model in case.competing
        }
        same = spoken == case.competing
        return spoken, case.verdicts[metric] if same else verdict_among(spoken, case, metric, self.analysis.run)

    def case(self, point: Point) -> Case | None:
        """The smallest one that has the parameters."""
        self.asked.append(point)
        rows = (row for row in self.analysis.rows if row.workload.id == point.workload)
        return next((case for row in rows for case in row.cases if point.params.items() <= case.params.items()), None)

    def cell(self, point: Point) -> Cell | None:
        """The measured cell; None where this run has none."""
        case = self.case(point)
        return case.cells.get(point.model) if case else None

    def compare(self, side: Side, top: Point, bottom: Point, expected: Expectation, what: str) -> Check:
        """The ratio of two measurements of one metric, taken within rounds."""
        top, bottom = self.spoken(top, bottom)
        try:
            check = self._compared(side, top, bottom, expected, what)
        except _Missing as missing:
            check = Check(what, side, str(expected), NOTHING, None, str(missing), limit=expected)
        return replace(check, cells=_both(top, bottom))

    def models(
        self,
        side: Side,
        top: str,
        bottom: str,
        workload: str,
        params: Mapping[str, int],
        expected: Expectation,
        what: str,
        metric: str = "time",
    ) -> Check:
        """As compare(), of two models in one case."""
        above, below = (Point(model, workload, params, metric) for model in (top, bottom))
        return self.compare(side, above, below, expected, what)

    def against(self, side: Side, top: Point, owed_ns: float, expected: Expectation, what: str) -> Check:
        """The ratio of a measurement to an amount that follows from the parameters."""
        (top,) = self.spoken(top)
        cells = f"{top.named}, {_NAMES[top.metric]}: {top.model}"
        try:
            values, cell = self._values(top), self._cell(top)
            owed = Series(dict.fromkeys(values.values, owed_ns))
            bounds = statistics.pair(values, owed, _least(cell))
            if bounds is None:
                raise _Missing(f"{top.named}: {len(values.values)} of at least {_least(cell)} rounds")
        except _Missing as missing:
            return Check(what, side, str(expected), NOTHING, None, str(missing), limit=expected, cells=cells)
        value = quantities.value(top.metric, median(values.values.values()))
        return replace(
            _bounded(what, side, expected, bounds, f"{value} for {quantities.value(top.metric, owed_ns)}"), cells=cells
        )

    def _compared(self, side: Side, top: Point, bottom: Point, expected: Expectation, what: str) -> Check:
        above, below = self._cell(top), self._cell(bottom)
        if "projected" in (above.status, below.status):
            return self._projected(side, top, bottom, expected, what)
        values, reference = self._values(top), self._values(bottom)
        bounds = statistics.pair(values, reference, min(_least(above), _least(below)))
        amounts = (
            f"{quantities.value(top.metric, median(values.values.values()))} against"
            f" {quantities.value(top.metric, median(reference.values.values()))}"
        )
        if bounds is not None:
            return _bounded(what, side, expected, bounds, amounts)
        logs = [math.log(values.values[r] / reference.values[r]) for r in statistics.common_rounds(values, reference)]
        if len(logs) < _STOPPED_ROUNDS:
            raise _Missing(f"{top.named}: {len(logs)} of at least {LEAST_ROUNDS} common rounds")
        doubt = math.log(CLEARLY_SLOWER)
        ratio = Ratio(math.exp(median(logs)))
        holds = expected.judged(math.exp(min(logs) - doubt), math.exp(max(logs) + doubt))
        return Check(
            what,
            side,
            str(expected),
            f"{quantities.ratio(ratio.value)} ({amounts})",
            holds,
            f"{top.named}: {len(logs)} rounds do not show it" if holds is None else "",
            ratio,
            expected,
        )

    def _projected(self, side: Side, top: Point, bottom: Point, expected: Expectation, what: str) -> Check:
        """Of a measurement that would have taken too long the least time is known, so the ratio has one bound."""
        above, below = self._cell(top), self._cell(bottom)
        if top.metric != "time" or above.status == below.status:
            raise _Missing(f"{top.model}: {absence(above)}; {bottom.model}: {absence(below)}")
        doubt = CLEARLY_SLOWER
        bound: Literal[">", "<"]
        if above.status == "projected":
            ratio = (above.projected_ns or 0) / median(self._values(bottom).values.values())
            holds = expected.judged(ratio / doubt, math.inf)
            measured, bound = f"over {quantities.ratio(ratio)}", ">"
        else:
            ratio = median(self._values(top).values.values()) / max(1, below.projected_ns or 0)
            holds = expected.judged(0.0, ratio * doubt)
            measured, bound = f"under {quantities.ratio(ratio)}", "<"
        slow = above if above.status == "projected" else below
        return Check(
            what,
            side,
            str(expected),
            f"{measured} ({slow.model}: {absence(slow)})",
            holds,
            "" if holds is not None else absence(slow),
            Ratio(ratio),
            expected,
            bound=bound,
        )

    def _cell(self, point: Point) -> Cell:
        case = self.case(point)
        if case is None:
            raise _Missing(f"{point.named} was not part of this run")
        cell = case.cells.get(point.model)
        if cell is None:
            raise _Missing(f"{point.model} in {point.named} was not part of this run")
        if cell.status not in ("ok", "projected"):
            raise _Missing(
                f"{point.model} in {point.named}: {absence(cell)}{f' ({cell.reason})' if cell.reason else ''}"
            )
        if reason := withheld(self.analysis.run, "latency" if point.metric == MEAN_DELAY else point.metric):
            raise _Missing(f"{point.named}: {reason}")
        return cell

    def _values(self, point: Point) -> Series:
        cell = self._cell(point)
        if cell.status == "projected":
            raise _Missing(f"{point.model} in {point.named}: {absence(cell)}")
        values = _mean_delays(cell) if point.metric == MEAN_DELAY else cell.series(point.metric)
        if not values.values:
            raise _Missing(f"{point.model} in {point.named}: no sample has its {_NAMES[point.metric]}")
        return values


def _least(cell: Cell) -> int:
    """Rounds that an interval needs."""
    return looks_of(cell.metric)[0]


def _mean_delays(cell: Cell) -> Series:
    """By round the mean of the latencies from the intended time, at least 1 ns."""
    delays = {}
    for sample in cell.samples:
        buckets = sample.latency["intended"] if sample.latency is not None else ()
        if count := sum(number for _, number in buckets):
            delays[sample.round] = max(1.0, sum(largest * number for largest, number in buckets) / count)
    return Series(delays, cell.series("time").process)


def _bounded(what: str, side: Side, expected: Expectation, bounds: statistics.Bounds, amounts: str) -> Check:
    ratio = bounds.ratio
    holds = expected.judged(math.exp(bounds.claim_low), math.exp(bounds.claim_high))
    note = "" if holds is not None else f"{what}: the interval does not show it ({interval_in_words(ratio)})"
    return Check(
        what,
        side,
        str(expected),
        f"{quantities.ratio(ratio.value)}, {interval_in_words(ratio)} ({amounts})",
        holds,
        note,
        ratio,
        expected,
    )


def _both(top: Point, bottom: Point) -> str:
    """What two points have in common, and in what they differ."""
    metric = _NAMES[top.metric]
    if top.model != bottom.model:
        return f"{top.named}, {metric}: {top.model} / {bottom.model}"
    return f"{top.model}, {metric}: {top.named} / {bottom.named}"

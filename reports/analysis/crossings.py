"""Crossover points: where one model overtakes another, along one parameter of a workload."""

from __future__ import annotations

from dataclasses import dataclass

from reports.cases import quantities
from reports.cases.cases import Case, Row
from reports.cases.phrases import leaders
from verdicts import statistics
from verdicts.statistics import Crossing


@dataclass(frozen=True)
class Line:
    """Cases in order of the parameter `key`; `rest`: what else varies in the row, the same for all of them."""

    key: str
    rest: str
    cases: tuple[tuple[float, Case], ...]

    @property
    def sizes(self) -> tuple[float, ...]:
        """Rising."""
        return tuple(size for size, _ in self.cases)


def lines(row: Row, key: str) -> tuple[Line, ...]:
    """Along `key`, which must be above 0; lines of a single case too."""
    groups: dict[str, list[tuple[float, Case]]] = {}
    for case in row.cases:
        size = case.params.get(key)
        if isinstance(size, (int, float)) and not isinstance(size, bool) and size > 0:
            rest = quantities.params(case.params, [name for name in row.varying if name != key])
            groups.setdefault(rest, []).append((float(size), case))
    return tuple(Line(key, rest, tuple(sorted(cases, key=lambda pair: pair[0]))) for rest, cases in groups.items())


@dataclass(frozen=True)
class Overtaking:
    """`after` is ahead of `before` beyond the crossing."""

    line: Line
    metric: str
    before: str
    after: str
    crossing: Crossing


def overtakings(line: Line, metric: str) -> list[Overtaking]:
    """Between the first of the best sets of neighbouring cases whose verdicts stand and have no member in common."""
    found = []
    for (_, a), (_, b) in zip(line.cases, line.cases[1:], strict=False):
        before, after = a.verdicts[metric], b.verdicts[metric]
        if not before.decided or not after.decided or set(leaders(before)) & set(leaders(after)):
            continue
        pair = (before.best_set[0], after.best_set[0])
        sizes = {
            size: (case.cells[pair[0]].series(metric), case.cells[pair[1]].series(metric))
            for size, case in ((s, c) for s, c in line.cases if c is a or c is b)
            if all(m in case.cells for m in pair)
        }
        found += [Overtaking(line, metric, *pair, crossing) for crossing in statistics.crossings(sizes)]
    return found


def in_words(overtaking: Overtaking) -> str:
    """delay 310 µs (95 % interval 250 µs–400 µs)."""
    at, low, high = (
        " ".join(_rounded(overtaking.line.key, value))
        for value in (overtaking.crossing.at, overtaking.crossing.low, overtaking.crossing.high)
    )
    name = quantities.param(overtaking.line.key, 1)[0]
    return f"{at} (95 % interval {low.removeprefix(name).strip()} to {high.removeprefix(name).strip()})"


def _rounded(key: str, value: float) -> tuple[str, str]:
    """Between sizes there is no exact parameter: three digits."""
    rounded = float(f"{value:.3g}")
    return quantities.param(key, int(rounded) if rounded.is_integer() else rounded)

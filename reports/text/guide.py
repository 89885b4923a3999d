"""Which model should I use: for each kind of work the family with the least risk, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from reports.cases import quantities
from reports.cases.appearance import ordered
from reports.cases.cases import Analysis, Case
from reports.cases.kinds import kinds
from reports.cases.phrases import absence, listed
from reports.cases.regret import regrets
from reports.cases.table import Table
from vocabulary import latency
from vocabulary.terms import FAMILY_NAMES

NEAR = 0.10  # from the best: no reason to choose another
_HEADER = (
    "work",
    "use",
    "at most 10 % from the best",
    "in the middle",
    "at worst",
    "CPU cost against the cheapest",
    "latency",
    "peak memory",
    "else",
)


@dataclass(frozen=True)
class _Record:
    """How one family did in the cases of a kind of work."""

    family: str
    models: tuple[str, ...]
    # how far it may be behind the best, as a share; infinite where it was not measured or nothing is shown
    bounds: tuple[tuple[float, Case], ...]

    @property
    def near(self) -> int:
        return sum(bound <= NEAR for bound, _ in self.bounds)

    @property
    def middle(self) -> float:
        return median(bound for bound, _ in self.bounds)

    @property
    def worst(self) -> tuple[float, Case]:
        return max(self.bounds, key=lambda pair: pair[0])


def guide(analysis: Analysis) -> Table:
    """A line for each kind of work in which some case has a verdict; peers and serial give no advice."""
    family = {model.id: model.family for model in analysis.run.models}
    return Table(_HEADER, tuple(_line(work, cases, family) for work, cases in _kinds(analysis) if cases))


def _kinds(analysis: Analysis) -> list[tuple[str, list[Case]]]:
    found = []
    for class_ in analysis.classes:
        found += kinds(
            class_,
            [
                case
                for row in analysis.rows_of(class_)
                for case in row.cases
                if case.deciding.ratios and case.deciding.kind != "none"
            ],
        )
    return found


def _line(work: str, cases: Sequence[Case], family: dict[str, str]) -> tuple[str, ...]:
    records = sorted(_records(cases, family), key=lambda record: (record.middle, record.worst[0]))
    if not records or not records[0].near:
        return _without_advice(work, cases, records, family)
    first = records[0]
    second = f"{_name(records[1])}: {_near(records[1])}, at worst {_worst(records[1])}" if len(records) > 1 else "–"
    return (
        work,
        _name(first),
        _near(first),
        _behind(first.middle),
        _worst(first),
        _cpu(first, cases),
        _tail(first, cases),
        _memory(first, cases),
        second,
    )


def _without_advice(
    work: str, cases: Sequence[Case], records: Sequence[_Record], family: dict[str, str]
) -> tuple[str, ...]:
    """Nobody is shown to be near the best, but some may be shown not to be: the others are left."""
    slower = {
        record.family: [case for case in cases if any(family[model] == record.family for model in case.deciding.slower)]
        for record in records
    }
    behind = [record for record in records if len(slower[record.family]) == len(cases)]
    left = [FAMILY_NAMES.get(record.family, record.family) for record in records if record not in behind]
    use = f"one of {listed(left)}" if behind and len(left) > 1 else "no advice"
    not_these = "; ".join(f"not {_name(record)}: {_at_least(record, cases)} in every case" for record in behind)
    return (work, use, f"in 0 of {len(cases)}: too little is shown", *["–"] * (len(_HEADER) - 4), not_these or "–")


def _at_least(record: _Record, cases: Sequence[Case]) -> str:
    """How far a family is behind in all of the cases."""
    ratios = [
        case.deciding.ratios.get(model) for case in cases for model in record.models if model in case.deciding.slower
    ]
    lows = [ratio.low for ratio in ratios if ratio is not None and ratio.low is not None]
    return (
        f"at least {quantities.ratio(min(lows))} behind the best"
        if lows and len(lows) == len(cases)
        else "clearly behind the best"
    )


def _records(cases: Sequence[Case], family: dict[str, str]) -> list[_Record]:
    bounds = [(case, regrets(case, case.workload.metric)) for case in cases]
    found = []
    for name in dict.fromkeys(family[m] for case in cases for m in ordered(case.competing)):
        chosen = [(case, next((m for m in case.competing if family[m] == name), None), of) for case, of in bounds]
        models = {m for case, m, _ in chosen if m and m in case.deciding.ratios}
        found.append(
            _Record(name, tuple(ordered(models)), tuple((of.get(m or "", math.inf), case) for case, m, of in chosen))
        )
    return found


def _name(record: _Record) -> str:
    return f"{FAMILY_NAMES.get(record.family, record.family)} ({', '.join(record.models)})"


def _near(record: _Record) -> str:
    return f"in {record.near} of {len(record.bounds)}"


def _behind(bound: float) -> str:
    """In percent while that is short."""
    return "unknown" if math.isinf(bound) else quantities.at_most(bound) if bound < 1 else quantities.ratio(1 + bound)


def _worst(record: _Record) -> str:
    bound, case = record.worst
    where = f"{case.workload.id}, {case.label}"
    if math.isfinite(bound):
        return f"{_behind(bound)} ({where})"
    cell = next((case.cells[m] for m in record.models if m in case.competing and m in case.cells), None)
    if cell is None:
        return f"cannot do {where}"
    ratio = case.deciding.ratios.get(cell.model)
    return f"{f'about {quantities.ratio(ratio.value)}, no bound' if ratio else absence(cell)} ({where})"


def _models_in(record: _Record, case: Case, metric: str) -> list[str]:
    return [m for m in record.models if m in case.competing and m in case.medians.get(metric, {})]


def _cpu(record: _Record, cases: Sequence[Case]) -> str:
    ratios = []
    for case in cases:
        least = min((value for m, value in case.medians["cpu"].items() if m in case.competing), default=None)
        ratios += [case.medians["cpu"][m] / least for m in _models_in(record, case, "cpu") if least]
    return f"{quantities.ratio(median(ratios))}, at worst {quantities.ratio(max(ratios))}" if ratios else "–"


def _tail(record: _Record, cases: Sequence[Case]) -> str:
    """The worst of the cases in which latency was measured, by the percentile that decides there."""
    found = []
    for case in cases:
        for model in record.models:
            if model in case.competing and model in case.cells:
                cell = case.cells[model]
                ns = latency.percentile(cell.latencies("intended"), cell.deciding_quantile)
                found += [(ns, cell.deciding_quantile, case)] if ns is not None else []
    if not found:
        return "not measured"
    ns, quantile, case = max(found, key=lambda tail: tail[0])
    return f"{quantities.duration(ns)} ({100 * quantile:.0f}th percentile, {case.workload.id})"


def _memory(record: _Record, cases: Sequence[Case]) -> str:
    found = [case.medians["memory"][m] for case in cases for m in _models_in(record, case, "memory")]
    return f"{quantities.size(median(found))}, at most {quantities.size(max(found))}" if found else "–"

"""Two runs side by side: what became slower or faster than the rest, what moved with all, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from reports.cases.cases import analyse
from reports.cases.phrases import leaders
from reports.cases.run import Cell, Run
from reports.comparison.changes import Changes
from reports.comparison.pairing import Pairing
from verdicts.deciding import Verdict
from verdicts.statistics import CONFIDENCE, Bounds, Estimate
from vocabulary import same_machine
from vocabulary.outcomes import FAILURES
from vocabulary.terms import METRICS

SAME_RATE = 1.1
LOST = (*FAILURES, "unsupported")
_TAIL = (1 - CONFIDENCE) / 2
Pair = tuple[Cell, Cell]  # before, after


@dataclass(frozen=True)
class Change:
    """One cell in one metric, in both runs."""

    case: str
    model: str
    metric: str
    before: float | None  # medians, in ns or bytes of one iteration; None: of several cases
    after: float | None  # of what is projected that
    estimate: Estimate  # of the log of after / before, the machine's part taken out
    looks: int = 1  # at how many it may have been decided while it was measured
    short: str = ""  # why it has few rounds now, or none, if it had more before

    @property
    def bounds(self) -> Bounds:
        """Of the logarithm of the ratio, after over before."""
        return _once(self.estimate) if self.looks == 1 else self.estimate.bounds()

    def chance(self, limit: float) -> float:
        """At most the probability of so large an estimate at any look, where the truth is `limit`."""
        return min(1.0, self.looks * self.estimate.beyond(limit))


@dataclass(frozen=True)
class Lost:
    """Was ok before, and has no number now."""

    case: str  # empty: a whole model
    model: str
    why: str

    @property
    def line(self) -> str:
        """What is lost and why."""
        return ": ".join(filter(None, (self.case, self.model, self.why)))


@dataclass(frozen=True)
class Comparison:
    """All that differs between two runs."""

    changes: tuple[Change, ...]
    together: Mapping[tuple[str, str], Bounds]  # case and metric → by how much all of its models moved
    lost: tuple[Lost, ...]  # it cannot be measured any more
    unmeasured: tuple[Lost, ...]  # the time was too short for it, or the server was the limit
    other_work: tuple[str, ...]  # ids of cells that owe other work than before: not compared
    only_before: int  # cells that were ok and that nobody asked for now
    only_now: int
    new: tuple[str, ...] = ()  # ids of cells that the other revision does not have


def host_differences(before: Run, after: Run) -> list[str]:
    """In what the machines differ, or what was used of them; what either does not know counts as equal. Before version
    1.5 the allocator was glibc's."""
    pairs = [("cores used", before.run.get("cores"), after.run.get("cores"))]
    pairs.append(("allocator", before.run.get("allocator", "glibc"), after.run.get("allocator", "glibc")))
    if "env" in before.settings and "env" in after.settings:
        pairs += [
            (name, before.variables.get(name, "unset"), after.variables.get(name, "unset"))
            for name in sorted({*before.variables, *after.variables})
        ]
    used = [f"{name} {old} and {new}" for name, old, new in pairs if old is not None and new is not None and old != new]
    return [*same_machine.differences(before.host, after.host), *used]


def compare(before: Run, after: Run, metrics: Sequence[str] = (), beside: Sequence[str] = ()) -> Comparison:
    """By `metrics`, or, if there are none, by the metric that decides each workload, and by those `beside` it."""
    old, new = ({cell.id: cell for cell in run.cells} for run in (before, after))
    was_ok, is_ok = ({id for id, cell in cells.items() if cell.status == "ok"} for cells in (old, new))
    other_work = tuple(id for id in sorted(was_ok & is_ok) if _owes_other_work(old[id], new[id]))
    measured = [(old[id], new[id]) for id in sorted((was_ok & is_ok) - set(other_work))]
    projected = [(old[id], new[id]) for id in sorted(was_ok & new.keys()) if new[id].status == "projected"]
    changes, together = _changes(measured, projected, before, after, lambda cell: metrics_of(cell, metrics, beside))
    told = {(change.case, change.model) for change in changes}
    gone = [new[id] for id in sorted((was_ok & new.keys()) - is_ok) if (new[id].case, new[id].model) not in told]
    absent = [old[id] for id in sorted(was_ok - new.keys())]
    broken = {model.id: model for model in after.models if model.status != "ok"}
    whole = [
        Lost("", name, f"{broken[name].status} now: {broken[name].reason}")
        for name in sorted({cell.model for cell in absent} & broken.keys())
    ]
    return Comparison(
        tuple(changes),
        together,
        (*whole, *(_lost(cell) for cell in gone if cell.status in LOST)),
        tuple(_lost(cell) for cell in gone if cell.status not in LOST),
        other_work,
        sum(cell.model not in broken for cell in absent),
        len(is_ok - was_ok),
    )


def _lost(cell: Cell) -> Lost:
    return Lost(cell.case, cell.model, f"{cell.status.replace('_', ' ')} now: {cell.reason}")


def _owes_other_work(a: Cell, b: Cell) -> bool:
    """The arrival rate of an open loop comes from what was measured in its own run: a little faster or slower is the
    same work."""
    if a.units != b.units or (a.checksum and b.checksum and a.checksum != b.checksum):
        return True
    rates = sorted((a.offered_per_s or 0, b.offered_per_s or 0))
    return rates[1] > SAME_RATE * rates[0]


def _changes(
    measured: Sequence[Pair],
    projected: Sequence[Pair],
    before: Run,
    after: Run,
    wanted: Callable[[Cell], Sequence[str]],
) -> tuple[list[Change], dict[tuple[str, str], Bounds]]:
    cases: dict[str, dict[str, Pair]] = {}
    for pair in measured:
        cases.setdefault(pair[0].case, {})[pair[0].model] = pair
    classes = {case: before.workload(next(iter(pairs.values()))[0].workload).class_ for case, pairs in cases.items()}
    found: list[Change] = []
    together: dict[tuple[str, str], Bounds] = {}
    for metric in METRICS:
        pairings = {}
        for case, pairs in cases.items():
            known = {
                model: pair
                for model, pair in pairs.items()
                if metric in wanted(pair[1]) and all(cell.by_round(metric) for cell in pair)
            }
            if known:
                pairings[case] = Pairing(
                    metric, known, (before.disturbed.get(case, frozenset()), after.disturbed.get(case, frozenset()))
                )
        of_metric = Changes(pairings, classes)
        for case, pairing in pairings.items():
            for model, (a, b) in pairing.pairs.items():
                if estimate := of_metric.of(case, model):
                    short = (
                        f"stopped early now: {b.stopped_reason}" if b.stopped_reason and not a.stopped_reason else ""
                    )
                    found.append(
                        Change(case, model, metric, _median(a, metric), _median(b, metric), estimate, short=short)
                    )
            if len(pairing.pairs) > 1 and case in of_metric.together:
                together[case, metric] = _once(of_metric.together[case])
        for a, b in projected if metric == "time" else ():
            if a.case in pairings and b.projected_ns and (estimate := of_metric.at_least(a.case, a, b.projected_ns)):
                found.append(
                    Change(
                        a.case,
                        a.model,
                        metric,
                        _median(a, metric),
                        float(b.projected_ns),
                        estimate,
                        short=f"now {b.reason}",
                    )
                )
    return sorted(found, key=lambda change: (change.case, change.model)), together


def _median(cell: Cell, metric: str) -> float:
    return median(cell.by_round(metric).values())


def _once(estimate: Estimate) -> Bounds:
    """Two runs are compared once."""
    return estimate.bounds(_TAIL, _TAIL / 5)


def metrics_of(cell: Cell, metrics: Sequence[str], beside: Sequence[str]) -> list[str]:
    """The time of what arrives at a given rate is given, too."""
    return list(
        dict.fromkeys(
            metrics or (cell.metric, *(metric for metric in beside if metric != "time" or cell.offered_per_s is None))
        )
    )


def verdict_changes(before: Run, after: Run) -> list[tuple[str, str, Verdict, Verdict]]:
    """(case, metric, verdict before, verdict now) where no model may be the best in both."""
    old = {case.id: case for case in analyse(before).cases}
    found = []
    for case in analyse(after).cases:
        if case.id in old:
            metric = case.workload.metric
            was, now = old[case.id].deciding, case.deciding
            if was.best_set and now.best_set and not set(leaders(was)) & set(leaders(now)):
                found.append((case.id, metric, was, now))
    return found

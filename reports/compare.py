"""Two runs side by side: what became slower or faster, and by how much at least. Rounds of two runs are not paired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from reports import statistics
from reports.analysis import analyse
from reports.deciding import Verdict
from reports.outcomes import FAILURES
from reports.run import Cell, Run
from reports.statistics import Bounds, Series
from reports.words import leaders

SAME_PACE = 1.1


@dataclass(frozen=True)
class Change:
    """One cell in one metric, in both runs."""

    case: str
    model: str
    metric: str
    before: float  # medians, in ns or bytes of one iteration
    after: float
    bounds: Bounds | None  # of after / before; None with too few rounds in either run
    quiet: Bounds | None  # the same from undisturbed rounds only


@dataclass(frozen=True)
class Comparison:
    changes: tuple[Change, ...]
    broken: tuple[Cell, ...]  # failed now, was ok before
    other_work: tuple[str, ...]  # ids of cells that owe other work than before: not compared
    only_before: int  # cells that were ok and are not measured now
    only_now: int


def host_differences(before: Run, after: Run) -> list[str]:
    """In what the machines differ, or what was used of them; what either does not know counts as equal. Before version 1.5 the allocator was glibc's."""
    facts = [("machine", "hostname_hash"), ("CPU", "cpu_model"), ("cores", "logical_cores"), ("architecture", "arch"), ("memory", "mem_bytes")]
    pairs = [(name, before.host.get(key), after.host.get(key)) for name, key in facts]
    pairs.append(("cores used", before.run.get("cores"), after.run.get("cores")))
    pairs.append(("allocator", before.run.get("allocator", "glibc"), after.run.get("allocator", "glibc")))
    return [f"{name} {old} and {new}" for name, old, new in pairs if old is not None and new is not None and old != new]


def compare(before: Run, after: Run, metrics: Iterable[str] = ()) -> Comparison:
    """By the deciding metric of each workload, or by `metrics`."""
    old = {cell.id: cell for cell in before.cells}
    new = {cell.id: cell for cell in after.cells}
    changes: list[Change] = []
    other_work = []
    for id in sorted(old.keys() & new.keys()):
        a, b = old[id], new[id]
        if a.status != "ok" or b.status != "ok":
            continue
        if _owes_other_work(a, b):
            other_work.append(id)
            continue
        changes += [change for metric in dict.fromkeys(metrics or (b.metric,)) if (change := _change(a, b, metric, before, after))]
    was_ok = {id for id, cell in old.items() if cell.status == "ok"}
    is_ok = {id for id, cell in new.items() if cell.status == "ok"}
    broken = tuple(new[id] for id in sorted(was_ok & new.keys()) if new[id].status in FAILURES)
    return Comparison(tuple(changes), broken, tuple(other_work), len(was_ok - is_ok) - len(broken), len(is_ok - was_ok))


def _owes_other_work(a: Cell, b: Cell) -> bool:
    """An open loop is paced by what was measured in its own run: a little faster or slower is the same work."""
    if a.units != b.units or (a.checksum and b.checksum and a.checksum != b.checksum):
        return True
    paces = sorted((a.offered_per_s or 0, b.offered_per_s or 0))
    return paces[1] > SAME_PACE * paces[0]


def _change(a: Cell, b: Cell, metric: str, before: Run, after: Run) -> Change | None:
    old, new = a.by_round(metric), b.by_round(metric)
    if not old or not new:
        return None
    bounds = statistics.change(Series(old), Series(new))
    quiet = statistics.change(_undisturbed(a, old, before), _undisturbed(b, new, after))
    return Change(a.case, a.model, metric, median(old.values()), median(new.values()), bounds, quiet)


def _undisturbed(cell: Cell, values: Mapping[int, float], run: Run) -> Series:
    disturbed = run.disturbed.get(cell.case, frozenset())
    return Series({round: value for round, value in values.items() if round not in disturbed})


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

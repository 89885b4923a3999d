"""Run → cases with their verdicts: the basis of all figures, tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from reports.cases import quantities
from reports.cases.load import withheld
from reports.cases.run import Cell, Focus, Run, Workload, members_of
from verdicts import statistics
from verdicts.deciding import Verdict, decide, known_slower, settle
from verdicts.statistics import Ratio, Series
from vocabulary.looks import LEAST_ROUNDS, looks_of
from vocabulary.representatives import BASELINE, competing
from vocabulary.terms import CLASSES, MAP_METRICS


@dataclass(frozen=True)
class Case:
    """A workload with its parameters: what models are compared on."""

    id: str
    workload: Workload
    params: Mapping[str, Any]
    label: str  # the parameters in which it differs from its workload's other cases
    cells: Mapping[str, Cell]
    competing: frozenset[str]
    verdicts: Mapping[str, Verdict]
    medians: Mapping[str, Mapping[str, float]]  # metric → model → ns or bytes
    bound_ns: int | None  # the least time of one iteration; no model was faster
    bound: str  # what that is made of, in words

    @property
    def deciding(self) -> Verdict:
        """The verdict by the metric of its workload."""
        return self.verdicts[self.workload.metric]

    def baseline(self, metric: str) -> Ratio | None:
        """Serial's ratio to the best, where serial is shown to be ahead by more than the margin."""
        ratio = self.verdicts[metric].ratios.get(BASELINE) if self.verdicts[metric].best else None
        if ratio is None or ratio.high is None or ratio.high >= 1 / statistics.MARGIN:
            return None
        return ratio


@dataclass(frozen=True)
class Row:
    """A workload's cases, in order of size."""

    workload: Workload
    constants: str  # the parameters that all cases share
    varying: tuple[str, ...]  # the names of the others, without those that follow an earlier one in every case
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Analysis:
    """A run with its verdicts, by workload and case."""

    run: Run
    rows: tuple[Row, ...]
    focus: Focus | None = None

    @property
    def cases(self) -> tuple[Case, ...]:
        """Of all workloads."""
        return tuple(case for row in self.rows for case in row.cases)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of work that the run has, in their order."""
        present = {row.workload.class_ for row in self.rows}
        return tuple(c for c in CLASSES if c in present)

    def rows_of(self, class_: str) -> tuple[Row, ...]:
        """The workloads of a class."""
        return tuple(row for row in self.rows if row.workload.class_ == class_)


def analyse(run: Run) -> Analysis:
    """Judges every case of the run."""
    by_workload: dict[str, dict[str, list[Cell]]] = {}
    for cell in run.cells:
        by_workload.setdefault(cell.workload, {}).setdefault(cell.case, []).append(cell)
    workloads = sorted((w for w in run.workloads if w.id in by_workload), key=lambda w: CLASSES.index(w.class_))
    return Analysis(run, tuple(_row(run, workload, by_workload[workload.id]) for workload in workloads), run.focus)


def _row(run: Run, workload: Workload, cases: Mapping[str, list[Cell]]) -> Row:
    params = {case: cells[0].params for case, cells in cases.items()}
    keys = list(dict.fromkeys(key for p in params.values() for key in p))
    varying = [key for key in keys if len({repr(p.get(key)) for p in params.values()}) > 1]
    constant = [key for key in keys if key not in varying]
    # in_flight that follows tasks in every case says nothing more
    varying = [
        key
        for place, key in enumerate(varying)
        if not any(_equal(params.values(), key, other) for other in varying[:place])
    ]
    if not varying:  # one case only: its parameters are its name
        varying, constant = constant, []
    order = sorted(cases, key=lambda case: tuple(_sort_key(params[case].get(key)) for key in varying))
    return Row(
        workload,
        quantities.params(next(iter(params.values())), constant),
        tuple(varying),
        tuple(_case(run, workload, case, cases[case], quantities.params(params[case], varying)) for case in order),
    )


def _equal(params: Iterable[Mapping[str, Any]], key: str, other: str) -> bool:
    return all(p.get(key) == p.get(other) for p in params)


def _sort_key(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if isinstance(value, (int, float)) else (1, 0.0, str(value))


def _case(run: Run, workload: Workload, id: str, cells: list[Cell], label: str) -> Case:
    supported = {c.model for c in cells if c.status != "unsupported"}
    contenders = competing(members_of(run.models), workload.class_, supported)
    metrics = dict.fromkeys((*MAP_METRICS, workload.metric))
    medians: dict[str, dict[str, float]] = {}
    for metric in dict.fromkeys((*metrics, "memory")):
        values = {c.model: list(c.by_round(metric).values()) for c in cells if c.status in ("ok", "server_bound")}
        medians[metric] = {model: median(v) for model, v in values.items() if v}
    bound_ns, bound = _bound(cells, medians["cpu"], run.run.get("cores"))
    return Case(
        id=id,
        workload=workload,
        params=cells[0].params,
        label=label or "one size",
        cells={c.model: c for c in cells},
        competing=frozenset(contenders),
        verdicts={metric: _verdict(metric, cells, contenders, medians[metric], run) for metric in metrics},
        medians=medians,
        bound_ns=bound_ns,
        bound=bound,
    )


def verdict_among(contenders: set[str], case: Case, metric: str, run: Run) -> Verdict:
    """As if these competed in the case."""
    return _verdict(metric, list(case.cells.values()), contenders, case.medians[metric], run)


def _bound(cells: list[Cell], cpu_ns: Mapping[str, float], cores: int | None) -> tuple[int | None, str]:
    """The longer of what must be waited for, as the run has recorded it, and the least CPU time that any model needed,
    spread evenly over the cores. And which it is."""
    waits_ns = min((c.bound_ns for c in cells if c.bound_ns is not None and c.status != "unsupported"), default=None)
    words = cells[0].bound
    if not cpu_ns or not cores or words.startswith("none"):
        return waits_ns, words
    frugal = min(cpu_ns, key=lambda model: (cpu_ns[model], model))
    computes_ns = round(cpu_ns[frugal] / cores)
    if waits_ns is not None and waits_ns >= computes_ns:
        return waits_ns, words
    return computes_ns, f"the CPU time of {frugal}, which needed least, over {quantities.counted(cores, 'core')}"


def _verdict(metric: str, cells: list[Cell], contenders: set[str], medians: Mapping[str, float], run: Run) -> Verdict:
    found = _judged(metric, cells, contenders, medians, run.disturbed.get(cells[0].case, frozenset()))
    reason = withheld(run, metric)
    return (
        Verdict("none", (), (), found.ratios, found.rounds, reason=reason) if reason and found.kind != "none" else found
    )


def _judged(
    metric: str, cells: list[Cell], contenders: set[str], medians: Mapping[str, float], disturbed: frozenset[int]
) -> Verdict:
    workload_metric = cells[0].metric
    limited = sorted(c.model for c in cells if c.status == "server_bound" and c.model in contenders)
    if limited and metric not in ("cpu", "memory"):
        with_limited = {c.model: c.series(metric) for c in cells if c.status in ("ok", "server_bound")}
        open_verdict = decide(with_limited, contenders, looks=looks_of(workload_metric))
        reason = f"server-bound: the origin or the load generator was the limit for {', '.join(limited)}"
        return Verdict("none", (), (), open_verdict.ratios, open_verdict.rounds, reason=reason)
    if metric == "time" and cells[0].offered_per_s is not None:
        return Verdict("none", (), (), {}, 0, reason="its time is given: requests come at a fixed rate")
    values = {c.model: c.series(metric) for c in cells if c.status in ("ok", "server_bound")}
    if metric == "latency" and not any(series.values for series in values.values()):
        return Verdict("none", (), (), {}, 0, reason="no sample has latencies enough for the percentile that decides")
    out = _known_slower(cells, contenders, medians) if metric == "time" else set()
    bound = next((c.bound_ns for c in cells if c.bound_ns), None) if metric == "time" else None

    def judged(series: Mapping[str, Series]) -> Verdict:
        return decide(series, contenders, known_slower=out, bound=bound, looks=looks_of(workload_metric))

    verdict = judged(values)
    if not disturbed or not verdict.decided:
        return verdict
    quiet = {
        model: Series({r: value for r, value in series.values.items() if r not in disturbed}, series.process)
        for model, series in values.items()
    }
    return settle(verdict, judged(quiet))


def _known_slower(cells: list[Cell], contenders: set[str], medians: Mapping[str, float]) -> set[str]:
    competing = [cell for cell in cells if cell.model in contenders]
    projected = {
        cell.model: float(cell.projected_ns)
        for cell in competing
        if cell.status == "projected" and cell.projected_ns is not None
    }
    stopped = {cell.model for cell in competing if cell.stopped_reason is not None and len(cell.samples) < LEAST_ROUNDS}
    return known_slower({model: value for model, value in medians.items() if model in contenders}, projected, stopped)

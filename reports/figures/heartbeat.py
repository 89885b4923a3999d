"""Heartbeat delay: how late a task runs that is due every millisecond, while heavy work runs inline or in an
executor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.cases import quantities
from reports.cases.appearance import Style, model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.phrases import absence
from reports.cases.table import Table
from reports.drawing.chart import around
from reports.drawing.dot_rows import DotRows
from reports.drawing.sheet import INK, Picture
from vocabulary import latency

MISSING = "Heartbeat delay comes from responsiveness and responsiveness_offloaded. This run has no such delays."
_WORKLOADS = {
    "responsiveness": "heavy work where it runs",
    "responsiveness_offloaded": "heavy work handed to an executor",
}
_MOST_COLUMNS = 4
_TAIL = f"{100 * latency.OTHERWISE:.0f}th percentile"
_QUANTILES = (0.5, latency.OTHERWISE)  # the second decides the verdict, too


def heartbeat(analysis: Analysis) -> Picture | None:
    """None if no sample has delays."""
    cases = _cases(analysis)
    if not cases:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({m for case in cases for m in _measured(case)})
    title = "Heartbeat delay under heavy work"
    meaning = (
        "delay of each beat of a 1 ms heartbeat from when it was due, on a log axis; left is better; hollow: median,"
        f" filled and first number: {_TAIL}, tick and second number: the longest"
    )
    lines = [(f"{model} ({styles[model].code})", any(model in case.competing for case in cases)) for model in models]
    notes = (
        (
            "All beats of all rounds together. A percentile stands only where at least 10 beats lie beyond it. A beat"
            " that comes late makes those late that were due meanwhile. Dash: not measured."
        ),
    )
    rows = DotRows(title, meaning, lines, len(cases), notes)
    for place, case in enumerate(cases):
        _draw(rows, place, case, models, styles)
    alt = (
        f"Median, {_TAIL} and longest delay of a 1 ms heartbeat for {len(models)} models in"
        f" {quantities.counted(len(cases), 'case')}. The table has every value."
    )
    return rows.picture("heartbeat", alt, _table(cases, models))


def _cases(analysis: Analysis) -> list[Case]:
    """The largest cases, as many of the one workload as of the other."""
    found = [[case for case in row.cases if _measured(case)] for row in analysis.rows if row.workload.id in _WORKLOADS]
    share = _MOST_COLUMNS // max(1, sum(bool(cases) for cases in found))
    return [case for cases in found for case in cases[-share:]]


def _measured(case: Case) -> list[str]:
    return [m for m in ordered(case.cells) if case.cells[m].status == "ok" and case.cells[m].latencies("intended")]


def _draw(rows: DotRows, place: int, case: Case, models: Sequence[str], styles: Mapping[str, Style]) -> None:
    measured = {m: case.cells[m].latencies("intended") for m in _measured(case)}
    ends = [
        float(max(ns, 1))
        for buckets in measured.values()
        for ns in (latency.percentile(buckets, 0.5) or buckets[0][0], buckets[-1][0])
    ]
    chart = rows.column(
        place, case.workload.id, (_WORKLOADS[case.workload.id], case.label), around(ends, room=0.05), quantities.tick
    )
    for line, model in enumerate(models):
        if model not in measured:
            rows.numbers(chart, line, "–")
            continue
        buckets, style, y = measured[model], styles[model], rows.y(line)
        middle, tail = (latency.percentile(buckets, quantile) for quantile in _QUANTILES)
        most = buckets[-1][0]
        x = chart.x(max(most, 1))
        rows.sheet.line((chart.x(max(middle or buckets[0][0], 1)), x), (y, y), colour=style.colour, line=0.8)
        rows.sheet.line((x, x), (y - 0.05, y + 0.05), colour=INK, line=1.2, z=5)
        if middle is not None:
            rows.sheet.marker(chart.x(max(middle, 1)), y, style.marker, 4.2, "white", style.colour)
        if tail is not None:
            rows.sheet.marker(chart.x(max(tail, 1)), y, style.marker, 5.4, style.colour, style.colour)
        rows.numbers(
            chart,
            line,
            quantities.duration(tail) if tail is not None else "few",
            quantities.duration(most),
            model in case.competing,
        )


def _table(cases: Sequence[Case], models: Sequence[str]) -> Table:
    rows: list[tuple[str, ...]] = []
    for case in cases:
        for model in models:
            name = (case.workload.id, case.label, model)
            buckets = case.cells[model].latencies("intended") if model in _measured(case) else []
            if not buckets:
                cell = case.cells.get(model)
                rows.append((*name, "–", "–", "–", "–", (cell.reason if cell else "") or absence(cell)))
                continue
            found = [latency.percentile(buckets, quantile) for quantile in _QUANTILES]
            texts = [quantities.duration(ns) if ns is not None else "too few beats" for ns in found]
            rows.append(
                (*name, *texts, quantities.duration(buckets[-1][0]), f"{sum(count for _, count in buckets):,}", "")
            )
    return Table(("workload", "size", "model", "median", _TAIL, "longest", "beats", "why not"), tuple(rows))

"""Latency under load: the percentiles from when a request should have been sent, and from when it was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from reports.cases import quantities
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.table import Table
from reports.drawing.chart import Chart, Name, Scale, around
from reports.drawing.panels import Panels
from reports.drawing.sheet import Picture
from vocabulary import latency

MISSING = (
    "Latency under load comes from echo_at_rate, whose requests are due at fixed times, and echo, a closed loop. This"
    " run has no such latencies."
)
_NOT_HERE = ("responsiveness", "responsiveness_offloaded")  # beats of a heartbeat, which have a figure of their own
_CURVE = (0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999)
_TICKS = {0.5: "50 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %", 0.9999: "99.99 %", 0.99999: "99.999 %"}
_SHOWN = (0.5, 0.9, 0.99, 0.999)


def percentiles(analysis: Analysis) -> Picture | None:
    """None if no workload that counts from the intended time was measured."""
    cases = [case for case in analysis.cases if case.workload.id not in _NOT_HERE and _measured(case)]
    if not cases:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({m for case in cases for m in _measured(case)})
    title = "Latency under load"
    meaning = "latency of requests by percentile on a 1/(1-p) axis; log axis upwards; down is better"
    notes = (
        (
            "Solid: from when the request was due (intended), so a stall counts for every request that it delays."
            " Dotted: from when it was sent (service)."
        ),
        (
            "Closed loop: no request is due before the answer to the one before it, so a stall delays few. At a rate:"
            " due at fixed times, whatever happens."
        ),
        (
            "All rounds together. A percentile is shown only if at least 10 requests lie beyond it. Filled and bold:"
            " competes for its family."
        ),
    )
    sheet = Panels(title, meaning, len(cases), 1.9, models, styles, notes)
    for place, case in enumerate(cases):
        _draw(sheet, place, case)
    alt = (
        "Latency percentiles from the intended and from the actual sending time in"
        f" {quantities.counted(len(cases), 'case')}. The table has the values."
    )
    return sheet.picture("percentiles", alt, _table(cases))


def _measured(case: Case) -> list[str]:
    """Models with enough requests for a curve."""
    return [
        m
        for m in ordered(case.cells)
        if case.cells[m].status in ("ok", "server_bound") and len(list(_curve(case, m, "intended"))) > 1
    ]


def _curve(case: Case, model: str, kind: str) -> Iterator[tuple[float, float]]:
    """(1/(1-p), latency in ns)."""
    buckets = case.cells[model].latencies(kind)
    for quantile in _CURVE:
        ns = latency.percentile(buckets, quantile)
        if ns is not None:
            yield 1 / (1 - quantile), float(max(ns, 1))


def _draw(sheet: Panels, place: int, case: Case) -> None:
    curves = {(m, kind): list(_curve(case, m, kind)) for m in _measured(case) for kind in ("intended", "service")}
    farthest = max(x for points in curves.values() for x, _ in points)
    chart = sheet.chart(place, Scale(1.8, farthest * 1.2), around([y for points in curves.values() for _, y in points]))
    ticks = [1 / (1 - p) for p in _TICKS if 1 / (1 - p) <= farthest * 1.01]
    chart.frame(_percent, quantities.tick, x_ticks=ticks)
    closed = all(c.offered_per_s is None for c in case.cells.values())
    bound = any(c.status == "server_bound" for c in case.cells.values())
    remarks = (("closed loop",) if closed else ()) + (("server-bound",) if bound else ())
    chart.titles(case.workload.id, ", ".join((case.label, *remarks)), "percentile of requests", "latency")
    for (model, kind), points in curves.items():
        _line(chart, sheet, case, model, kind, points)
    names = ((m, points[-1][1]) for (m, kind), points in curves.items() if kind == "intended")
    chart.names(Name(y, sheet.styles[m].code, sheet.styles[m], m in case.competing) for m, y in names)


def _percent(x: float) -> str:
    return _TICKS[min(_TICKS, key=lambda p: abs(math.log(x * (1 - p))))]


def _line(
    chart: Chart, sheet: Panels, case: Case, model: str, kind: str, points: Sequence[tuple[float, float]]
) -> None:
    style, competes = sheet.styles[model], model in case.competing
    if kind == "service":
        chart.line(points, style.colour, 0.7, ":")
        return
    chart.line(points, style.colour, 1.2 if competes else 0.7)
    chart.points([points[0], points[-1]], style, competes, 4.5)


def _table(cases: Sequence[Case]) -> Table:
    rows = []
    for case in cases:
        for model in _measured(case):
            for kind in ("intended", "service"):
                buckets = case.cells[model].latencies(kind)
                found = [latency.percentile(buckets, quantile) for quantile in _SHOWN]
                texts = [quantities.duration(ns) if ns is not None else "–" for ns in found]
                rows.append(
                    (case.workload.id, case.label, model, kind, *texts, f"{sum(count for _, count in buckets):,}")
                )
    return Table(("workload", "size", "model", "from", *(_TICKS[q] for q in _SHOWN), "requests"), tuple(rows))

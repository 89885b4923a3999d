"""Time against CPU cost: one chart per class of work, its most telling case, with the models that no other beats in
both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.cases import quantities
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.table import Table
from reports.drawing.chart import Chart, around
from reports.drawing.panels import Panels
from reports.drawing.sheet import Picture, width_of
from reports.text.headlines import most_telling

MISSING = "No case of this run has two models with both a time and a CPU cost."


@dataclass(frozen=True)
class _Point:
    model: str
    time: float  # ns per unit of work
    cpu: float
    front: bool  # no competing model is better in one and not worse in the other


def cost_plane(analysis: Analysis) -> Picture | None:
    """None if no case has two models to place."""
    panels = [(case, _points(case)) for class_ in analysis.classes if (case := most_telling(analysis, class_))]
    panels = [(case, points) for case, points in panels if len(points) > 1]
    if not panels:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({point.model for _, points in panels for point in points})
    title = "Time against CPU cost"
    meaning = (
        "real time and CPU time (whole process tree) for one unit of work, medians, on log axes; left is faster, down"
        " is cheaper"
    )
    notes = (
        (
            "The line joins the models on the front: of those that compete, none is both as fast and cheaper, or as"
            " cheap and faster. One case per class: the most telling one."
        ),
    )
    sheet = Panels(title, meaning, len(panels), 2.0, models, styles, notes)
    for place, (case, points) in enumerate(panels):
        _draw(sheet, place, case, points)
    alt = (
        f"Time against CPU cost per unit of work in {quantities.counted(len(panels), 'case')}; the front of models that"
        " no other model beats in both is drawn as a line. The table has every point."
    )
    return sheet.picture("cost-plane", alt, _table(panels))


def _points(case: Case) -> list[_Point]:
    measured = [m for m in ordered(case.medians["time"]) if m in case.medians["cpu"]]
    at = {
        m: (case.medians["time"][m] / case.cells[m].units, case.medians["cpu"][m] / case.cells[m].units)
        for m in measured
        if case.cells[m].units
    }
    rivals = [at[m] for m in at if m in case.competing]

    def beaten(time: float, cpu: float) -> bool:
        return any(t <= time and c <= cpu and (t, c) != (time, cpu) for t, c in rivals)

    return [_Point(m, *at[m], front=m in case.competing and not beaten(*at[m])) for m in at]


def _draw(sheet: Panels, place: int, case: Case, points: Sequence[_Point]) -> None:
    chart = sheet.chart(place, around([p.time for p in points], room=0.12), around([p.cpu for p in points], room=0.12))
    chart.frame(quantities.tick, quantities.tick, x_ticks=chart.xs.ticks(4))
    chart.titles(case.workload.id, case.label, f"time per unit ({case.workload.unit})", "CPU per unit")
    front = sorted((p for p in points if p.front), key=lambda p: p.time)
    chart.line([(p.time, p.cpu) for p in front], "#1a1a1a", 0.9)
    for p in points:
        chart.points([(p.time, p.cpu)], sheet.styles[p.model], p.model in case.competing)
    _name(chart, sheet, case, points)


def _name(chart: Chart, sheet: Panels, case: Case, points: Sequence[_Point]) -> None:
    free = chart.free(0.3)
    for p in points:
        free.point(chart.x(p.time), chart.y(p.cpu))
    for p in sorted(points, key=lambda p: (p.model not in case.competing, p.time)):
        style, bold = sheet.styles[p.model], p.model in case.competing
        x, y, width = chart.x(p.time), chart.y(p.cpu), width_of(style.code, 6.5, bold)
        left, middle, far = free.label(x, y, width)
        if far:
            chart.sheet.line((x, left + width / 2), (y, middle), colour=style.colour, line=0.5)
        chart.sheet.text(left, middle, style.code, 6.5, bold=bold)


def _table(panels: Sequence[tuple[Case, Sequence[_Point]]]) -> Table:
    rows = []
    for case, points in panels:
        for p in sorted(points, key=lambda p: p.time):
            role = "front" if p.front else "competes" if p.model in case.competing else "shown only"
            rows.append(
                (case.workload.id, case.label, p.model, role, quantities.duration(p.time), quantities.duration(p.cpu))
            )
    return Table(("workload", "size", "model", "role", "time per unit", "CPU per unit"), tuple(rows))

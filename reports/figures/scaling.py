"""Worker scaling and oversubscription: what each model's number of workers gains over serial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.cases import quantities
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.table import Table
from reports.drawing.chart import Chart, Name, Scale, around
from reports.drawing.panels import Panels
from reports.drawing.sheet import PALE_INK, Picture
from vocabulary.representatives import BASELINE

MISSING = (
    "Worker scaling needs a case with the serial baseline and models of at least two numbers of workers; this run has"
    " none."
)
_MOST_PANELS = 6
_LEAST_COUNTS = 2  # different numbers of workers, beside one


@dataclass(frozen=True)
class _Point:
    model: str
    workers: int
    speed: float  # serial's time / the model's


@dataclass(frozen=True)
class _Panel:
    case: Case
    points: tuple[_Point, ...]


def scaling(analysis: Analysis) -> Picture | None:
    """None if no case has enough numbers of workers."""
    panels = _panels(analysis)
    if not panels:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({point.model for panel in panels for point in panel.points})
    cores = _cores(analysis)
    title = "Workers: scaling and oversubscription"
    meaning = (
        "speed relative to serial (one thing after another) against the threads that ran its items (a single-threaded"
        " process counts as one), on log axes; up is better"
    )
    notes = (
        (
            f"Dashed: each worker does as much as serial, up to the {cores} cores of the run. Work that only computes"
            " cannot be above it. Work that waits, or that locks at less cost than serial, can. Right of the vertical"
            " line: more workers than cores."
        ),
        (
            "Lines connect the models of a family. The threads were counted in a pass before any timing. A loop counts"
            " as one, however many tasks wait on it."
        ),
    )
    sheet = Panels(title, meaning, len(panels), 1.8, models, styles, notes)
    for place, panel in enumerate(panels):
        _draw(sheet, place, panel, cores)
    alt = (
        f"Speed relative to serial against the number of workers, {quantities.counted(len(panels), 'case')}, with the"
        f" ideal up to {cores} cores. The table has every point."
    )
    return sheet.picture("scaling", alt, _table(panels))


def _cores(analysis: Analysis) -> int:
    return int(analysis.run.run.get("cores") or analysis.run.host.get("logical_cores") or 1)


def _panels(analysis: Analysis) -> list[_Panel]:
    """The largest fitting case of each workload, as many classes as there are first."""
    found: dict[str, list[_Panel]] = {}
    for row in analysis.rows:
        fitting = [panel for case in row.cases if (panel := _panel(case))]
        if fitting and row.workload.metric == "time":
            found.setdefault(row.workload.class_, []).append(fitting[-1])
    picked: list[_Panel] = []
    while any(found.values()) and len(picked) < _MOST_PANELS:
        for panels in found.values():
            if panels and len(picked) < _MOST_PANELS:
                picked.append(panels.pop(0))
    order = [case.id for case in analysis.cases]
    return sorted(picked, key=lambda panel: order.index(panel.case.id))


def _panel(case: Case) -> _Panel | None:
    times = case.medians["time"]
    if BASELINE not in times:
        return None
    points = []
    for model in ordered(times):
        workers = case.cells[model].threads_used
        if workers and model != BASELINE:
            points.append(_Point(model, workers, times[BASELINE] / times[model]))
    counts = {point.workers for point in points} - {1}
    return _Panel(case, tuple(points)) if len(counts) >= _LEAST_COUNTS else None


def _draw(sheet: Panels, place: int, panel: _Panel, cores: int) -> None:
    most = max(point.workers for point in panel.points)
    speeds = [point.speed for point in panel.points]
    xs = Scale(0.8, max(most, 2 * cores) * 1.25)
    chart = sheet.chart(place, xs, around([1.0, float(cores), *speeds]))
    ticks = sorted({1.0, float(cores), *(float(point.workers) for point in panel.points)})
    chart.frame(quantities.short, lambda speed: f"{speed:.3g}×", x_ticks=ticks)
    chart.titles(panel.case.workload.id, panel.case.label, "workers", "speed relative to serial")
    _reference(chart, cores)
    families: dict[str, list[_Point]] = {}
    for point in panel.points:
        families.setdefault(sheet.styles[point.model].family, []).append(point)
    for family, points in families.items():
        if family != "peer":
            _join(chart, points, sheet)
    for point in panel.points:
        chart.points([(point.workers, point.speed)], sheet.styles[point.model], point.model in panel.case.competing)
    chart.names(
        Name(p.speed, sheet.styles[p.model].code, sheet.styles[p.model], p.model in panel.case.competing)
        for p in panel.points
    )


def _reference(chart: Chart, cores: int) -> None:
    top = chart.ys.high
    ideal = [(0.8, 0.8), (min(cores, top), min(cores, top)), (chart.xs.high, min(cores, top))]
    chart.reference([(max(x, chart.xs.low), max(y, chart.ys.low)) for x, y in ideal], colour="#1a1a1a")
    x = chart.x(cores)
    chart.sheet.line((x, x), (chart.top, chart.top + chart.height), colour=PALE_INK, line=0.7)


def _join(chart: Chart, points: Sequence[_Point], sheet: Panels) -> None:
    """The best of each number of workers, in order of the number."""
    best = {
        workers: max(p.speed for p in points if p.workers == workers) for workers in sorted({p.workers for p in points})
    }
    chart.line(list(best.items()), sheet.styles[points[0].model].colour, 0.8)


def _table(panels: Sequence[_Panel]) -> Table:
    rows = []
    for panel in panels:
        for point in sorted(panel.points, key=lambda p: p.workers):
            rows.append(
                (
                    panel.case.workload.id,
                    panel.case.label,
                    point.model,
                    f"{point.workers:,}",
                    quantities.ratio(point.speed),
                )
            )
    return Table(("workload", "size", "model", "workers", "speed relative to serial"), tuple(rows))

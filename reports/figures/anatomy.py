"""Overhead anatomy: the cost of one spawn, switch, wake-up and queue hop for each model, in time and in CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.cases import quantities
from reports.cases.appearance import Style, model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.phrases import absence
from reports.cases.table import Table
from reports.drawing.chart import around
from reports.drawing.dot_rows import DotRows
from reports.drawing.sheet import INK, Picture

MISSING = "The anatomy of overhead comes from spawn, yield, ping_pong and producer_consumer. This run has none of them."
_OPERATIONS = (
    ("spawn", "spawn", "start a task, wait for it"),
    ("yield", "switch", "let another task go first"),
    ("ping_pong", "wake-ups", "there and back"),
    ("producer_consumer", "queue hop", "from task to task"),
)


@dataclass(frozen=True)
class _Column:
    name: str
    meaning: str
    case: Case

    def per_unit(self, metric: str, model: str) -> float | None:
        value = self.case.medians[metric].get(model)
        units = self.case.cells[model].units if model in self.case.cells else 0
        return value / units if value is not None and units else None


def anatomy(analysis: Analysis) -> Picture | None:
    """None if none of the four workloads was measured."""
    columns = _columns(analysis)
    if not columns:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({m for column in columns for m in column.case.medians["time"]})
    title = "Overhead anatomy: what one operation costs"
    meaning = (
        "per operation, medians on a log axis; left is better; marker and first number: time; tick and second number:"
        " CPU time of the whole process tree"
    )
    lines = [
        (f"{model} ({styles[model].tag})", any(model in column.case.competing for column in columns))
        for model in models
    ]
    rows = DotRows(
        title,
        meaning,
        lines,
        len(columns),
        ("Filled and bold: competes for its family. A dash: not measured; the table says why.",),
    )
    for place, column in enumerate(columns):
        _draw(rows, place, column, models, styles)
    named = ", ".join(column.name for column in columns)
    alt = (
        f"Time and CPU time of one operation ({named}) for {len(models)} models, on log axes. The table has every"
        " value."
    )
    return rows.picture("anatomy", alt, _table(columns, models))


def _columns(analysis: Analysis) -> list[_Column]:
    """Of each workload the first of the cases that most models have."""
    found = []
    for workload, name, meaning in _OPERATIONS:
        cases = [case for case in analysis.cases if case.workload.id == workload and case.medians["time"]]
        if cases:
            found.append(_Column(name, meaning, max(cases, key=lambda case: len(case.medians["time"]))))
    return found


def _draw(rows: DotRows, place: int, column: _Column, models: Sequence[str], styles: Mapping[str, Style]) -> None:
    values = [value for metric in ("time", "cpu") for m in models if (value := column.per_unit(metric, m)) is not None]
    remarks = (f"{column.case.workload.id}: {column.meaning}", column.case.label)
    chart = rows.column(place, column.name, remarks, around(values, room=0.05), quantities.tick)
    for line, model in enumerate(models):
        time, cpu = column.per_unit("time", model), column.per_unit("cpu", model)
        if time is None or cpu is None:
            rows.numbers(chart, line, "–")
            continue
        competes, style, y = model in column.case.competing, styles[model], rows.y(line)
        rows.sheet.line((chart.x(cpu),) * 2, (y - 0.05, y + 0.05), colour=INK, line=1.2, z=5)
        rows.sheet.marker(chart.x(time), y, style.marker, 5.4, style.colour if competes else "white", style.colour)
        rows.numbers(chart, line, quantities.duration(time), quantities.duration(cpu), competes)


def _table(columns: Sequence[_Column], models: Sequence[str]) -> Table:
    rows = []
    for column in columns:
        for model in models:
            time, cpu = column.per_unit("time", model), column.per_unit("cpu", model)
            unit = f"{column.name} ({column.case.workload.id}, {column.case.label})"
            if time is None or cpu is None:
                cell = column.case.cells.get(model)
                rows.append((unit, model, "–", (cell.reason if cell else "") or absence(cell)))
            else:
                rows.append((unit, model, quantities.duration(time), quantities.duration(cpu)))
    return Table(("operation", "model", "time", "CPU time"), tuple(rows))

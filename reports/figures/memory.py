"""Memory per waiting task, for each model up to its largest size, with the limit that it hit."""

from __future__ import annotations

from collections.abc import Sequence

from reports.cases import quantities
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, Case, Row
from reports.cases.phrases import absence
from reports.cases.run import Cell
from reports.cases.table import Table
from reports.drawing.chart import Chart, Name, Scale, around
from reports.drawing.legend import legend, legend_height
from reports.drawing.sheet import PALE_INK, Picture, Sheet

MISSING = "Memory per waiting task comes from the workload idle_tasks, which this run did not measure."
_WORKLOAD, _KEY = "idle_tasks", "tasks"
_WIDTH, _EDGE, _LEFT, _TOP, _PLOT, _HEIGHT = 10.25, 0.15, 0.75, 0.85, 4.9, 3.4
_LIMITS = 6.75  # where the list of limits begins
_LINE = 0.165


def memory(analysis: Analysis) -> Picture | None:
    """None without a measured size."""
    row = next((row for row in analysis.rows if row.workload.id == _WORKLOAD), None)
    cases = [case for case in row.cases if case.medians["memory"] and _tasks(case)] if row else []
    if row is None or not cases:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({m for case in cases for m in case.medians["memory"]})
    limits = _limits(row)
    height = max(_HEIGHT, _LINE * len(limits) + 0.1)
    sheet = Sheet(_WIDTH, _TOP + height + 0.45 + legend_height(models) + 0.4)
    title = "Memory of a task that only waits"
    sheet.text(_EDGE, 0.24, title, 13, bold=True)
    sheet.text(
        _EDGE,
        0.48,
        (
            "peak resident memory above that of the idle process, divided by the tasks that wait at the same time; log"
            " axes; down is better"
        ),
        8,
        colour=PALE_INK,
    )
    values = [case.medians["memory"][m] / _tasks(case) for case in cases for m in case.medians["memory"]]
    chart = Chart(
        sheet, _LEFT, _TOP, _PLOT, height, around((_tasks(case) for case in cases), room=0.04), around(values)
    )
    chart.frame(quantities.short, quantities.size, x_ticks=[_tasks(case) for case in cases], y_ticks=_powers(chart.ys))
    sheet.text(_EDGE, _TOP - 0.12, "bytes per task", 6.5, colour=PALE_INK)
    sheet.text(
        _LEFT + _PLOT, _TOP + height + 0.24, "tasks that wait at the same time", 6.5, colour=PALE_INK, align="right"
    )
    names = []
    for model in models:
        points = [
            (_tasks(case), case.medians["memory"][model] / _tasks(case))
            for case in cases
            if model in case.medians["memory"]
        ]
        competes = any(model in case.competing for case in cases)
        chart.line(points, styles[model].colour, 1.3 if competes else 0.7, "-" if competes else styles[model].line)
        chart.points(points, styles[model], competes)
        names.append(
            Name(points[-1][1], f"{styles[model].code} {quantities.size(points[-1][1])}", styles[model], competes)
        )
    chart.names(names)
    sheet.text(_LIMITS, _TOP - 0.12, "where a model was not measured, and why", 7.5, bold=True)
    for line, (model, size, why) in enumerate(limits):
        y = _TOP + 0.08 + _LINE * line
        sheet.text(_LIMITS, y, f"{model}", 6.5, width=1.15)
        sheet.text(
            _LIMITS + 1.2,
            y,
            f"{size}: {why.split(': ')[0]}",
            6.5,
            width=_WIDTH - _EDGE - _LIMITS - 1.2,
            colour=PALE_INK,
        )
    legend(sheet, _EDGE, _TOP + height + 0.47, _WIDTH - 2 * _EDGE, models, styles)
    note = (
        "Filled and bold: competes for its family. Each sample comes from a fresh process. A thread's stack counts only"
        " where it was touched; its address space does not count."
    )
    sheet.text(_EDGE, _TOP + height + 0.5 + legend_height(models), note, 7.5, colour=PALE_INK, width=_WIDTH - 2 * _EDGE)
    most = max(_tasks(case) for case in cases)
    return sheet.picture(
        "memory",
        title,
        (
            f"Bytes of resident memory per waiting task for {len(models)} models, up to {most:,.0f} tasks, and the"
            " limits of models that cannot hold so many. The table has every value."
        ),
        _table(cases),
    )


def _powers(scale: Scale) -> list[float]:
    """Powers of two, as many as can be read."""
    inside = [2.0**power for power in range(41) if scale.holds(2.0**power)]
    return inside[:: max(1, -(-len(inside) // 7))]


def _tasks(case: Case) -> float:
    tasks = case.params.get(_KEY)
    return float(tasks) if isinstance(tasks, (int, float)) and tasks > 0 else 0.0


def _limits(row: Row) -> list[tuple[str, str, str]]:
    """Of each model the smallest size that it did not do."""
    found: dict[str, tuple[str, str, str]] = {}
    for case in sorted(row.cases, key=_tasks):
        for model in ordered(case.cells):
            cell = case.cells[model]
            if model not in case.medians["memory"]:
                found.setdefault(model, (model, quantities.short(_tasks(case)), _why(cell)))
    return [found[model] for model in ordered(found)]


def _why(cell: Cell) -> str:
    return f"{absence(cell)}, too long for this run" if cell.status == "projected" else cell.reason or absence(cell)


def _table(cases: Sequence[Case]) -> Table:
    rows = []
    for case in cases:
        for model in ordered(case.cells):
            held = case.medians["memory"].get(model)
            cell = case.cells[model]
            per_task = quantities.size(held / _tasks(case)) if held is not None else cell.reason or absence(cell)
            rows.append((case.label, model, per_task, quantities.size(held) if held is not None else "–"))
    return Table(("size", "model", "memory per task", "in all"), tuple(rows))

"""Throughput against size: one chart per workload, with the serial baseline and the most that is possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reports.analysis.crossings import Line, lines
from reports.cases import quantities
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, Case, Row
from reports.cases.table import Table
from reports.drawing.chart import Name, around
from reports.drawing.panels import Panels
from reports.drawing.sheet import Picture

MISSING = (
    "No workload of this run has more than one size along one parameter, so there is no curve of throughput against"
    " size."
)
_LINES = 2  # of a workload, at most
_NEAR = 30  # times: a bound beyond that would press the curves together


@dataclass(frozen=True)
class _Panel:
    row: Row
    line: Line

    @property
    def constants(self) -> str:
        return ", ".join(part for part in (self.line.rest, self.row.constants) if part)

    @property
    def models(self) -> list[str]:
        """A variant that was measured on one size only is no curve."""
        sizes = Counter(m for _, case in self.line.cases for m in case.medians["time"])
        return ordered(
            m for m, count in sizes.items() if count > 1 or any(m in case.competing for _, case in self.line.cases)
        )


def throughput(analysis: Analysis) -> Picture | None:
    """None if nothing can be joined along a parameter."""
    panels = [panel for row in analysis.rows for panel in _panels(row)]
    if not panels:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({m for panel in panels for m in panel.models})
    title = "Throughput against size"
    meaning = (
        "units of work per second, median of the rounds, on log axes; up is better; in a chart nothing but the size on"
        " its axis differs"
    )
    notes = (
        (
            "Filled and bold: competes for its family. Hollow: a variant, the serial baseline (S, one thing after"
            " another) or a peer."
        ),
        (
            f"Dashed black: the most that the parameters and the machine allow, unless it is over {_NEAR} times what"
            " was measured. A line that ends early: the model cannot do the larger size, or would take too long."
        ),
    )
    sheet = Panels(title, meaning, len(panels), 1.9, models, styles, notes)
    for place, panel in enumerate(panels):
        _draw(sheet, place, panel)
    count = len({panel.row.workload.id for panel in panels})
    return sheet.picture(
        "throughput",
        (
            f"Throughput against size for {quantities.counted(count, 'workload')}, each with its models, the serial"
            " baseline and the most that is possible. The table has every point."
        ),
        _table(panels),
    )


def _panels(row: Row) -> list[_Panel]:
    """The longest lines along the parameter that has the longest one."""
    found = [
        [line for line in lines(row, key) if sum(bool(case.medians["time"]) for _, case in line.cases) > 1]
        for key in row.varying
    ]
    along: list[Line] = max(found, key=lambda lines: max((len(line.cases) for line in lines), default=0), default=[])
    longest = sorted(along, key=lambda line: -len(line.cases))[:_LINES]
    return [_Panel(row, line) for line in along if line in longest]


def _rate(case: Case, model: str) -> float:
    return case.cells[model].units * 1e9 / case.medians["time"][model]


def _bound(case: Case) -> float | None:
    return next(iter(case.cells.values())).units * 1e9 / case.bound_ns if case.bound_ns else None


def _draw(sheet: Panels, place: int, panel: _Panel) -> None:
    line = panel.line
    rates = [_rate(case, m) for _, case in line.cases for m in panel.models if m in case.medians["time"]]
    bounds = [bound for _, case in line.cases if (bound := _bound(case)) and bound < _NEAR * max(rates)]
    chart = sheet.chart(place, around(line.sizes), around([*rates, *bounds]))
    name = quantities.param(line.key, 0)[0]
    timed = line.key.endswith(("_us", "_ns", "_ms"))
    chart.frame(
        lambda x: quantities.param(line.key, x)[1] if timed else quantities.short(x),
        quantities.short,
        x_ticks=line.sizes,
    )
    chart.titles(panel.row.workload.id, panel.constants, name, f"{panel.row.workload.unit} per second")
    chart.reference([(size, bound) for size, case in line.cases if (bound := _bound(case)) and chart.ys.holds(bound)])
    names = []
    for model in panel.models:
        points = [(size, _rate(case, model), case) for size, case in line.cases if model in case.medians["time"]]
        style, competes = sheet.styles[model], any(model in case.competing for _, case in line.cases)
        chart.line(
            [(x, y) for x, y, _ in points], style.colour, 1.3 if competes else 0.7, "-" if competes else style.line
        )
        chart.points([(x, y) for x, y, _ in points], style, competes, 5 if competes else 4)
        names.append(Name(points[-1][1], style.code, style, competes))
    chart.names(names)


def _table(panels: Sequence[_Panel]) -> Table:
    rows = []
    for panel in panels:
        for _, case in panel.line.cases:
            bound = _bound(case)
            for model in panel.models:
                if model not in case.medians["time"]:
                    continue
                rate = quantities.short(_rate(case, model))
                rows.append(
                    (
                        panel.row.workload.id,
                        case.label,
                        model,
                        f"{rate} {panel.row.workload.unit}/s",
                        f"{quantities.short(bound)}/s" if bound else "–",
                    )
                )
    return Table(("workload", "size", "model", "throughput", "most possible"), tuple(rows))

"""Two runs side by side: the verdict of each case before and after, and how the model that was best before has
changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.analysis.focus import Pairing, in_words, opponent, pairings
from reports.cases import quantities
from reports.cases.appearance import Style, model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.phrases import interval_in_words, leaders, verdict_in_words
from reports.cases.table import Table
from reports.comparison.compare import Change
from reports.drawing.chart import Chart, Scale, around
from reports.drawing.front import IN_FRONT, front_line
from reports.drawing.legend import legend, legend_height
from reports.drawing.sheet import INK, PALE_INK, RULE, Picture, Sheet
from reports.drawing.tile import drawn, tile
from reports.drawing.tile_key import KEY_HEIGHT, tile_key
from verdicts.statistics import MARGIN
from vocabulary.terms import METRIC_NAMES

_WIDTH, _EDGE, _TOP, _LINE = 10.25, 0.15, 0.95, 0.22
_TILES = (3.3, 4.75)  # where those of each run begin
_TILE, _AXIS, _AXIS_WIDTH = 1.3, 6.95, 2.0


@dataclass(frozen=True)
class _Line:
    before: Case
    after: Case
    model: str  # that was best before, or that stands in front
    change: Change | None  # of it
    # it stands in front, below the line of the case: against its reference before and after
    front: tuple[Pairing | None, Pairing | None] | None = None


def side_by_side_map(before: Analysis, after: Analysis, changes: Sequence[Change]) -> Picture | None:
    """None without a common case. By the metric that decides each case."""
    old = {case.id: case for case in before.cases}
    found = {(change.case, change.model, change.metric): change for change in changes}
    pairs = [
        (old[case.id], case)
        for case in after.cases
        if case.id in old and (case.deciding.ratios or old[case.id].deciding.ratios)
    ]
    if not pairs:
        return None
    front = after.focus.model if after.focus else ""
    standings = [_standings(analysis) for analysis in (before, after)]
    lines = []
    for a, b in pairs:
        best = a.deciding.best or ""
        lines.append(_Line(a, b, best, found.get((a.id, best, a.workload.metric))))
        if front in (*a.cells, *b.cells):
            stood, stands = (of.get(a.id) for of in standings)
            lines.append(_Line(a, b, front, found.get((a.id, front, a.workload.metric)), (stood, stands)))
    styles = model_styles(
        [*before.run.models, *(m for m in after.run.models if m.id not in {n.id for n in before.run.models})]
    )
    seen = ordered(
        {
            m
            for line in lines
            for case in (line.before, line.after)
            for m in (*drawn(case.deciding), *case.deciding.best_set[:1])
        }
    )
    bottom = _TOP + _LINE * len(lines)
    key = bottom + 0.45 + legend_height(seen)
    sheet = Sheet(_WIDTH, key + KEY_HEIGHT + 0.3)
    title = "Two runs side by side"
    sheet.text(_EDGE, 0.24, title, 13, bold=True)
    sheet.text(
        _EDGE,
        0.48,
        (
            "The verdict of each case by the metric that decides it, and how the model that was best before has changed"
            " against the others: after / before, with its 95 % interval."
        ),
        8,
        colour=PALE_INK,
    )
    for left, name in zip((*_TILES, _AXIS), ("before", "after", "after / before; left is better"), strict=True):
        sheet.text(left, _TOP - 0.12, name, 8, bold=True)
    chart = _axis(sheet, lines)
    for place, line in enumerate(lines):
        if line.front:
            sheet.box(_EDGE - 0.05, _TOP + _LINE * place, _WIDTH - 2 * _EDGE + 0.1, _LINE, fill=IN_FRONT, z=0)
        _draw(sheet, _TOP + _LINE * (place + 0.5), line, chart, styles)
    legend(sheet, _EDGE, bottom + 0.45, _WIDTH - 2 * _EDGE, seen, styles)
    tile_key(sheet, _EDGE, key - 0.05, _WIDTH - 2 * _EDGE)
    shown = f" Yellow: {front} against {opponent(after.focus)}." if after.focus else ""
    note = (
        "Grey band: ±5 %, which decides nothing. The change is that against the other models of the case: what slows"
        " the machine drops out." + shown
    )
    sheet.text(_EDGE, key + KEY_HEIGHT + 0.07, note, 7.5, colour=PALE_INK, width=_WIDTH - 2 * _EDGE)
    same = sum(bool(set(leaders(a.deciding)) & set(leaders(b.deciding))) for a, b in pairs)
    alt = (
        f"The verdicts of {len(pairs)} cases in two runs: in {same} a model may be the best in both. The table has"
        " every case."
    )
    return sheet.picture("side-by-side", title, alt, _table(lines))


def _standings(analysis: Analysis) -> dict[str, Pairing]:
    """By case, of the model in front by the metric that decides."""
    metrics = {case.workload.metric for case in analysis.cases}
    return {
        pairing.case.id: pairing
        for metric in metrics
        for pairing in pairings(analysis, metric)
        if pairing.case.workload.metric == metric
    }


def _axis(sheet: Sheet, lines: Sequence[_Line]) -> Chart:
    ends = [
        end
        for line in lines
        if line.change and line.change.bounds
        for end in (line.change.bounds.ratio.low, line.change.bounds.ratio.high)
        if end
    ]
    xs = around([0.8, 1.25, *(min(max(end, 1 / 16), 16.0) for end in ends)], room=0.03)
    chart = Chart(sheet, _AXIS, _TOP, _AXIS_WIDTH, _LINE * len(lines), xs, Scale(0, 1, log=False))
    chart.frame(lambda x: f"{x:.3g}×", str, x_ticks=xs.ticks(5), y_ticks=())
    left = chart.x(1 / MARGIN)
    sheet.box(left, _TOP, chart.x(MARGIN) - left, chart.height, fill="#e4e4e4", z=1.5)
    sheet.line((chart.x(1), chart.x(1)), (_TOP, _TOP + chart.height), colour="#707070")
    return chart


def _draw(sheet: Sheet, y: float, line: _Line, chart: Chart, styles: Mapping[str, Style]) -> None:
    if line.front:
        sheet.text(_EDGE + 0.15, y, f"{line.model} ({styles[line.model].code})", 6.5, width=_TILES[0] - _EDGE - 0.25)
        for left, pairing in zip(_TILES, line.front, strict=True):
            if pairing:
                front_line(sheet, (left, y - _LINE / 2 + 0.02, _TILE, _LINE - 0.04), pairing)
    else:
        _draw_case(sheet, y, line, styles)
    bounds = line.change.bounds if line.change else None
    if bounds is None or bounds.ratio.low is None or bounds.ratio.high is None:
        sheet.text(chart.left + 0.05, y, "not in both, or too few rounds", 6, colour=PALE_INK)
        return
    low, at, high = (
        chart.x(min(max(value, chart.xs.low), chart.xs.high))
        for value in (bounds.ratio.low, bounds.ratio.value, bounds.ratio.high)
    )
    sheet.line((low, high), (y, y), colour=INK, line=0.9, z=4)
    style = styles[line.model]
    sheet.marker(at, y, style.marker, 5, style.colour, style.colour)
    sheet.text(
        _WIDTH - _EDGE,
        y,
        f"{style.code} {quantities.ratio(bounds.ratio.value)} ({interval_in_words(bounds.ratio)})",
        6.5,
        align="right",
        width=_WIDTH - _EDGE - _AXIS - _AXIS_WIDTH - 0.08,
    )


def _draw_case(sheet: Sheet, y: float, line: _Line, styles: Mapping[str, Style]) -> None:
    """Its name, and the verdicts of both runs."""
    case = line.before
    sheet.text(
        _EDGE,
        y,
        f"{case.workload.id} ({METRIC_NAMES[case.workload.metric]}), {line.after.label}",
        6.5,
        width=_TILES[0] - _EDGE - 0.1,
    )
    for left, run in zip(_TILES, (line.before, line.after), strict=True):
        box = (left, y - _LINE / 2 + 0.02, _TILE, _LINE - 0.04)
        if run.deciding.kind == "none":
            sheet.text(left + 0.05, y, "– no rival" if run.deciding.best_set else "– no verdict", 6.5, colour=PALE_INK)
        else:
            tile(sheet, box, run.deciding, styles, 7.5)
        sheet.box(*box, edge=RULE, z=3)


def _table(lines: Sequence[_Line]) -> Table:
    rows = []
    for line in lines:
        told = (
            [in_words(pairing) if pairing else "–" for pairing in line.front]
            if line.front
            else [verdict_in_words(case.deciding) for case in (line.before, line.after)]
        )
        bounds = line.change.bounds if line.change else None
        ratio = (quantities.ratio(bounds.ratio.value), interval_in_words(bounds.ratio)) if bounds else ("–", "–")
        rows.append((line.before.id, METRIC_NAMES[line.before.workload.metric], *told, line.model or "–", *ratio))
    return Table(("case", "decided by", "before", "after", "model", "its after / before", "95 % interval"), tuple(rows))

"""Winner map: workload × size tiles that name the winner of one metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports import quantities
from reports.analysis import MAP_METRICS, METRIC_NAMES, Analysis, Case, Row
from reports.figures.sheet import INK, PALE_INK, RULE, UNDECIDED, Picture, Sheet, Table, width_of
from reports.models import Look, looks, ordered
from reports.words import CLASS_NAMES, kind_in_words, margin_in_words

_MOST_COLUMNS = 4
_WIDTH, _EDGE, _LABEL = 10.25, 0.15, 2.15
_HEIGHT, _HEAD, _FOOT, _GAP = 0.92, 0.22, 0.22, 0.07


@dataclass(frozen=True)
class _Grid:
    columns: int

    @property
    def tile(self) -> float:
        return min(2.6, (_WIDTH - 2 * _EDGE - _LABEL) / self.columns)

    def lines(self, row: Row) -> int:
        return -(-len(row.cases) // self.columns)


def winner_map(analysis: Analysis, metric: str) -> Picture:
    look = looks(analysis.run.models)
    seen = ordered({m for case in analysis.cases for m in case.verdicts[metric].ratios if m in case.competing})
    legend_lines = _legend_lines(seen)
    grid = _Grid(min(_MOST_COLUMNS, max((len(row.cases) for row in analysis.rows), default=1)))
    lines = sum(grid.lines(row) for row in analysis.rows)
    height = 0.62 + 0.34 * len(analysis.classes) + _HEIGHT * lines + 0.24 * legend_lines + 0.85
    sheet = Sheet(_WIDTH, height)
    title = f"Which model wins by {METRIC_NAMES[metric]}"
    sheet.text(_EDGE, 0.24, title, 13, bold=True)
    meaning = {"time": "real time of one iteration", "cpu": "user and system CPU time of the model's whole process tree for one iteration"}[metric]
    sheet.text(_EDGE, 0.48, f"{meaning}; one representative per family competes; sizes grow from left to right", 8, colour=PALE_INK)
    y = 0.62
    for class_ in analysis.classes:
        sheet.text(_EDGE, y + 0.2, CLASS_NAMES[class_], 9.5, bold=True)
        sheet.line((_EDGE, _WIDTH - _EDGE), (y + 0.315, y + 0.315))
        y += 0.34
        for row in analysis.rows_of(class_):
            y = _row(sheet, y, row, grid, metric, look)
    _legend(sheet, y + 0.2, seen, look)
    return sheet.picture(f"winner-map-{metric}", title, _alt(analysis, metric), _table(analysis, metric))


def _row(sheet: Sheet, y: float, row: Row, grid: _Grid, metric: str, look: Mapping[str, Look]) -> float:
    sheet.text(_EDGE, y + 0.36, row.workload.id, 9, width=_LABEL - 0.1, bold=True)
    sheet.text(_EDGE, y + 0.56, row.constants, 7, width=_LABEL - 0.1, colour=PALE_INK)
    if row.workload.metric not in MAP_METRICS:
        sheet.text(_EDGE, y + (0.74 if row.constants else 0.56), f"decided by {METRIC_NAMES[row.workload.metric]}", 7, colour=PALE_INK)
    for place, case in enumerate(row.cases):
        column = place % grid.columns
        if place and column == 0:
            y += _HEIGHT
        _tile(sheet, _EDGE + _LABEL + column * grid.tile, y + _GAP / 2, grid.tile - _GAP, case, metric, look)
    return y + _HEIGHT


def _tile(sheet: Sheet, x: float, y: float, width: float, case: Case, metric: str, look: Mapping[str, Look]) -> None:
    verdict = case.verdicts[metric]
    height = _HEIGHT - _GAP
    body = height - _HEAD - _FOOT
    middle = y + _HEAD + body / 2
    baseline = case.baseline(metric)
    badge = f"S {quantities.ratio(baseline.value)}" if baseline else ""
    badge_width = width_of(badge, 7, True) + 0.08 if badge else 0.0
    sheet.text(x + 0.05, y + _HEAD / 2, case.label, 7, width=width - 0.1 - badge_width)
    if badge:
        sheet.text(x + width - 0.05, y + _HEAD / 2, badge, 7, bold=True, align="right")
    if verdict.kind in ("wins", "unopposed", "tie"):
        share = width / len(verdict.best_set)
        for place, model in enumerate(ordered(verdict.best_set)):
            style = look[model]
            left = x + place * share
            sheet.box(left, y + _HEAD, share, body, fill=style.colour, edge="white", line=1.0)
            _mark(sheet, left + share / 2, middle, style, 13, share - 0.06)
    elif verdict.kind == "unresolved":
        sheet.box(x, y + _HEAD, width, body, fill=UNDECIDED)
        letters = " ".join(look[m].code for m in ordered(verdict.best_set))
        sheet.text(x + 0.12, middle, "?", 14, bold=True)
        sheet.text(x + 0.36, middle, letters, 11, bold=True, width=width - 0.42)
    else:
        sheet.text(x + width / 2, middle, "–", 14, align="center", colour=PALE_INK)
    words = margin_in_words(verdict, {m: look[m].code for m in look}).split(":")[0]
    sheet.text(x + 0.05, y + height - _FOOT / 2, words, 7, width=width - 0.1, colour=INK)
    sheet.box(x, y, width, height, edge=RULE, z=3)


def _mark(sheet: Sheet, x: float, y: float, style: Look, points: float, width: float) -> None:
    """Marker and letters side by side, centred, in at most `width` inches."""

    def total_at(points: float) -> float:
        return points * 0.72 / 72 + 0.06 + width_of(style.code, points, True)

    while total_at(points) > width and points > 5:
        points -= 0.5
    across, total = points * 0.72, total_at(points)
    left = x - total / 2
    sheet.marker(left + across / 144, y, style.marker, across, style.text_colour, style.text_colour)
    sheet.text(left + across / 72 + 0.06, y, style.code, points, bold=True, colour=style.text_colour)


_LEGEND_COLUMNS = 5


def _legend_lines(models: Sequence[str]) -> int:
    return -(-len(models) // _LEGEND_COLUMNS)


def _legend(sheet: Sheet, y: float, models: Sequence[str], look: Mapping[str, Look]) -> None:
    step = (_WIDTH - 2 * _EDGE) / _LEGEND_COLUMNS
    for place, model in enumerate(models):
        style = look[model]
        x, line = _EDGE + place % _LEGEND_COLUMNS * step, y + place // _LEGEND_COLUMNS * 0.24
        sheet.box(x, line - 0.085, 0.56, 0.17, fill=style.colour)
        _mark(sheet, x + 0.28, line, style, 7.5, 0.5)
        sheet.text(x + 0.63, line, model, 7.5, width=step - 0.68)
    y += _legend_lines(models) * 0.24 + 0.04
    notes = (
        "One colour: this model wins, by the factor below it. Several: a tie, all within 5 %. Grey ?: not separated, "
        "more rounds would be needed. –: no verdict.",
        "S 0.5× at the top right: doing one thing after another (serial, the baseline) took that part of the winner's value.",
    )
    for place, note in enumerate(notes):
        sheet.text(_EDGE, y + 0.08 + place * 0.19, note, 7.5, width=_WIDTH - 2 * _EDGE, colour=PALE_INK)


def _alt(analysis: Analysis, metric: str) -> str:
    verdicts = [case.verdicts[metric] for case in analysis.cases]
    wins = Counter(v.best for v in verdicts if v.kind == "wins")
    parts = [f"{model} wins {count}" for model, count in wins.most_common()]
    for kind, name in (("tie", "ties"), ("unresolved", "not separated"), ("unopposed", "without a rival"), ("none", "without a verdict")):
        count = sum(v.kind == kind for v in verdicts)
        if count:
            parts.append(f"{count} {name}")
    return f"Map of {len(verdicts)} {'case' if len(verdicts) == 1 else 'cases'} by {METRIC_NAMES[metric]}: {', '.join(parts) or 'empty'}. The table has every tile."


def _table(analysis: Analysis, metric: str) -> Table:
    rows = []
    for case in analysis.cases:
        verdict = case.verdicts[metric]
        best = quantities.value(metric, case.medians[metric][verdict.best]) if verdict.best else "–"
        rows.append((case.workload.id, case.label, kind_in_words(verdict), ", ".join(verdict.best_set) or "–", best, margin_in_words(verdict)))
    return Table(("workload", "size", "verdict", "best set", "median of the first", "margin"), tuple(rows))

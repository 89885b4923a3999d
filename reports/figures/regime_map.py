"""Regime map: the safe choice by how much of a task is waiting and how long a task takes, for few tasks and for
many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from contourpy import FillType, LineType, contour_generator
from matplotlib.path import Path

from reports.analysis.crossings import in_words
from reports.analysis.regime import Grid, Place, Regime, Surface, regimes
from reports.cases import quantities
from reports.cases.appearance import Style, model_styles, ordered
from reports.cases.cases import Analysis
from reports.cases.phrases import kind_in_words, leaders, listed, margin_in_words, number
from reports.cases.table import Table
from reports.drawing.chart import Chart, Scale
from reports.drawing.legend import legend, legend_height
from reports.drawing.placing import Free
from reports.drawing.sheet import INK, PALE_INK, UNDECIDED, Picture, Sheet, width_of
from reports.drawing.tile import drawn as named, paler
from verdicts.deciding import WIDEST
from vocabulary.terms import METRIC_NAMES

MISSING = (
    "The regime map needs at least three cases of mixed with one number of tasks that differ in waiting and in"
    " computing; this run has fewer."
)
_WIDTH, _EDGE, _TOP, _PLOT, _LEFT, _GAP = 10.25, 0.15, 1.0, 3.3, 0.6, 0.75
_ALONE = 7.0  # inches across, where there is one map only
_SHARES = {0.0: "0 %", 0.5: "50 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %", 0.9999: "99.99 %"}
# regret up to that share, and how much paler than the model's own colour
_BANDS = ((0.02, 0.1), (0.05, 0.33), (0.10, 0.53), (WIDEST, 0.72))
_MARKER = 0.06  # half of it, inches


def regime_map(analysis: Analysis, metric: str) -> Picture | None:
    """None if no number of tasks has cases that span an area."""
    drawn = [regime for regime in regimes(analysis, metric) if regime.surface]
    if not drawn:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered(
        {m for regime in drawn for place in regime.places for m in named(place.case.verdicts[metric])}
        | {m for r in drawn if r.surface for m in _chosen(r.surface)}
    )
    absent = _absent(analysis, metric, drawn)
    sheet = Sheet(_WIDTH, _TOP + _PLOT + 0.5 + legend_height(models) + 0.85 + 0.19 * len(absent))
    title = f"Which model is a safe choice by {METRIC_NAMES[metric]}? Waiting against computing"
    sheet.text(_EDGE, 0.24, title, 13, bold=True)
    sheet.text(
        _EDGE,
        0.48,
        (
            "Tasks that wait and then compute. Circles: measured cases; between them linear in logarithms; blank where"
            " nothing was measured."
        ),
        8,
        colour=PALE_INK,
    )
    width = (_WIDTH - 2 * _EDGE - _GAP) / 2 - _LEFT if len(drawn) > 1 else _ALONE
    for place, regime in enumerate(drawn):
        _draw(sheet, _EDGE + _LEFT + place * (width + _LEFT + _GAP), width, regime, metric, styles)
    y = _TOP + _PLOT + 0.55
    legend(sheet, _EDGE, y, _WIDTH - 2 * _EDGE, models, styles)
    y += legend_height(models)
    _band_key(sheet, y)
    notes = [
        (
            "Letters at a circle: the best set, or the safe choice, with what its tile in the winner map says; ? where"
            " no choice is safe."
        ),
        f"{_crossings_told(drawn)} Wait share: waiting / (waiting + computing), of one task alone on a core.",
        *absent,
    ]
    for line, note in enumerate(notes):
        sheet.text(_EDGE, y + 0.27 + 0.19 * line, note, 7.5, colour=PALE_INK, width=_WIDTH - 2 * _EDGE)
    told = ". ".join(_in_words(regime, metric) for regime in drawn)
    return sheet.picture(
        f"regime-map-{metric}",
        title,
        f"Map of the safe choice by wait share and task size. {told}. The table has every case and crossing.",
        _table(drawn, metric),
    )


def _chosen(surface: Surface) -> list[str]:
    """The models that are the safe choice somewhere."""
    return [
        model
        for index, model in enumerate(surface.models)
        if ((surface.behind[index] < 0) & surface.inside & (surface.regret <= math.log1p(WIDEST))).any()
    ]


def _band_key(sheet: Sheet, y: float) -> None:
    """What paleness means."""
    sheet.text(_EDGE, y, "Colour: the safe choice. The paler, the further from the best it may be:", 7.5)
    x = _EDGE + 4.15
    for colour, text in [
        *((paler(INK, pale), f"≤ {quantities.at_most(share)}") for share, pale in _BANDS),
        (UNDECIDED, "more: open"),
    ]:
        sheet.box(x, y - 0.085, 0.4, 0.17, fill=colour)
        sheet.text(x + 0.46, y, text, 7.5)
        x += 0.98


def _crossings_told(drawn: Sequence[Regime]) -> str:
    if any(regime.overtakings for regime in drawn):
        return (
            "Dots with bars: where one model overtakes another along a line of measured cases, with the 95 % interval."
        )
    return "Along no line of measured cases is one model shown to overtake another."


def _absent(analysis: Analysis, metric: str, drawn: Sequence[Regime]) -> list[str]:
    left_out = [regime.tasks for regime in regimes(analysis, metric) if regime.tasks not in {r.tasks for r in drawn}]
    return [
        f"With {tasks:,} tasks too few cases were measured for a map; the table of the winner map has them."
        for tasks in left_out
    ]


def _in_words(regime: Regime, metric: str) -> str:
    best: dict[str, int] = {}
    for place in regime.places:
        verdict = place.case.verdicts[metric]
        safe = verdict.safe_choice or ""
        name = (
            listed(ordered(leaders(verdict)))
            if verdict.decided
            else f"open with the safe choice {safe}"
            if verdict.kind == "safe_choice"
            else "open"
        )
        best[name] = best.get(name, 0) + 1
    return (
        f"{regime.tasks:,} tasks: {'; '.join(f'{name} in {count}' for name, count in best.items())} of"
        f" {len(regime.places)} cases"
    )


def _draw(sheet: Sheet, left: float, width: float, regime: Regime, metric: str, styles: Mapping[str, Style]) -> None:
    surface = regime.surface
    assert surface is not None
    xs, ys = [place.x for place in regime.places], [place.y for place in regime.places]
    chart = Chart(
        sheet,
        left,
        _TOP,
        width,
        _PLOT,
        Scale(-0.25, max(xs) + 0.35, log=False),
        Scale(min(ys) - 0.25, max(ys) + 0.25, log=False),
    )
    kind = "Few" if regime.tasks < 1000 else "Many"
    sheet.text(left - 0.45, _TOP - 0.28, f"{kind} tasks: {regime.tasks:,} at once", 9.5, bold=True)
    sheet.text(left - 0.45, _TOP - 0.11, "time of one task", 6.5, colour=PALE_INK)
    sheet.text(left + width, _TOP + _PLOT + 0.26, "wait share of a task", 6.5, colour=PALE_INK, align="right")
    _areas(chart, surface, styles)
    x_ticks = [-math.log10(1 - share) for share in _SHARES if chart.xs.holds(-math.log10(1 - share))]
    y_ticks = [float(power) for power in range(20) if chart.ys.holds(power)]
    chart.frame(_share, lambda y: quantities.tick(10.0**y), x_ticks=x_ticks, y_ticks=y_ticks)
    free = chart.free()
    for place in (*regime.places, *(at for _, at, _, _ in regime.overtakings)):
        free.point(chart.x(place.x), chart.y(place.y))
    _circles(chart, regime.places, metric, styles, free)
    for _, at, low, high in regime.overtakings:
        _crossing(chart, at, low, high)
    _regions(chart, surface, styles, free)
    _contours(chart, surface, free)


def _share(x: float) -> str:
    return _SHARES[min(_SHARES, key=lambda share: abs(-math.log10(1 - share) - x))]


def _filled(
    chart: Chart, surface: Surface, values: Grid, low: float, high: float
) -> list[list[list[tuple[float, float]]]]:
    """The polygons between two levels, in inches."""
    # the type of its polygons depends on a value
    between: Any = contour_generator(surface.xs, surface.ys, values, fill_type=FillType.OuterOffset)
    points, offsets = between.filled(low, high)
    found = []
    for polygon, starts in zip(points, offsets, strict=True):
        rings = [polygon[a : b - 1] for a, b in zip(starts, starts[1:], strict=False)]
        found.append([[(chart.x(float(x)), chart.y(float(y))) for x, y in ring] for ring in rings])
    return found


def _outline(chart: Chart, surface: Surface) -> list[tuple[float, float]]:
    return [(chart.x(x), chart.y(y)) for x, y in surface.outline]


def _areas(chart: Chart, surface: Surface, styles: Mapping[str, Style]) -> None:
    outline = _outline(chart, surface)
    chart.sheet.area([outline], fill=UNDECIDED, z=1)
    for index, model in enumerate(surface.models):
        for share, pale in reversed(_BANDS):
            near = np.maximum(surface.behind[index], surface.regret - math.log1p(share))
            for rings in _filled(chart, surface, near, -1e3, 0):
                chart.sheet.area(rings, fill=paler(styles[model].colour, pale), z=1, within=outline)


def _contours(chart: Chart, surface: Surface, free: Free) -> None:
    """Where the bound of the regret passes from one shade to the next."""
    generator: Any = contour_generator(
        surface.xs, surface.ys, np.ma.masked_where(~surface.inside, surface.regret), line_type=LineType.Separate
    )
    outline = _outline(chart, surface)
    inside = Path(outline)
    for share, _ in _BANDS:
        text = quantities.at_most(share)
        width = width_of(text, 6) + 0.04
        for path in generator.lines(math.log1p(share)):
            places = [(chart.x(float(x)), chart.y(float(y))) for x, y in path]
            chart.sheet.line([x for x, _ in places], [y for _, y in places], colour=INK, line=0.5, z=3, within=outline)
            places = [place for place in places if inside.contains_point(place)]
            quarters = (places[len(places) * part // 8] for part in (4, 3, 5, 2, 6)) if len(places) > 14 else ()
            where = next(((x, y) for x, y in quarters if free.centred(x, y, width, 0.11)), None)
            if where:
                chart.sheet.box(where[0] - width / 2, where[1] - 0.055, width, 0.11, fill="white", z=4)
                chart.sheet.text(*where, text, 6, align="center")


def _crossing(chart: Chart, at: Place, low: Place, high: Place) -> None:
    chart.sheet.line([chart.x(low.x), chart.x(high.x)], [chart.y(low.y), chart.y(high.y)], colour=INK, line=2.2, z=5)
    chart.sheet.marker(chart.x(at.x), chart.y(at.y), "o", 4.5, INK, "white")


def _regions(chart: Chart, surface: Surface, styles: Mapping[str, Style], free: Free) -> None:
    """The model's marker, as near to the middle of its region as there is room, and its letters beside it."""
    points = np.stack(np.meshgrid(surface.xs, surface.ys), axis=-1)
    within = Path(surface.outline).contains_points(points.reshape(-1, 2)).reshape(points.shape[:2])
    for index, model in enumerate(surface.models):
        inside = np.argwhere((surface.behind[index] < 0) & within & (surface.regret <= math.log1p(WIDEST)))
        code, mark = styles[model].code, 0.17
        width = width_of(code, 12, True) + mark
        if len(inside) < 40:
            continue
        for row, column in inside[np.argsort(((inside - inside.mean(axis=0)) ** 2).sum(axis=1))]:
            x, y = chart.x(float(surface.xs[column])), chart.y(float(surface.ys[row]))
            if free.centred(x - _MARKER + width / 2, y, width + _MARKER, 0.2):
                chart.sheet.marker(x, y, styles[model].marker, 8, styles[model].colour, "white")
                chart.sheet.text(x - _MARKER + mark, y, code, 12, bold=True)
                break


def _circles(chart: Chart, places: Sequence[Place], metric: str, styles: Mapping[str, Style], free: Free) -> None:
    for place in places:
        verdict = place.case.verdicts[metric]
        x, y = chart.x(place.x), chart.y(place.y)
        chart.sheet.marker(x, y, "o", 5.5, "white", INK)
        if not verdict.best_set:
            continue
        letters = " ".join(styles[m].code for m in ordered(named(verdict) or verdict.best_set))
        text = f"? {letters}" if verdict.kind == "open" else f"{letters} {number(verdict)}".rstrip()
        width = width_of(text, 6.5, True)
        left, middle, far = free.label(x, y, width)
        if far:
            chart.sheet.line((x, left + width / 2), (y, middle), colour=INK, line=0.5)
        chart.sheet.box(left - 0.015, middle - 0.06, width + 0.03, 0.12, fill="white", z=4)
        chart.sheet.text(left, middle, text, 6.5, bold=True)


def _table(drawn: Sequence[Regime], metric: str) -> Table:
    rows = []
    for regime in drawn:
        for place in sorted(regime.places, key=lambda place: (place.x, place.y)):
            verdict = place.case.verdicts[metric]
            share = quantities.percent(place.wait_ns / (place.wait_ns + place.compute_ns))
            rows.append(
                (
                    f"{regime.tasks:,}",
                    share,
                    quantities.duration(place.wait_ns),
                    quantities.duration(place.compute_ns),
                    kind_in_words(verdict),
                    ", ".join(verdict.best_set) or "–",
                    margin_in_words(verdict),
                )
            )
        for overtaking, at, _, _ in regime.overtakings:
            share = quantities.percent(at.wait_ns / (at.wait_ns + at.compute_ns))
            told = f"{overtaking.before} before, {overtaking.after} beyond"
            rows.append(
                (
                    f"{regime.tasks:,}",
                    share,
                    quantities.duration(at.wait_ns),
                    quantities.duration(at.compute_ns),
                    "crossing",
                    told,
                    in_words(overtaking),
                )
            )
    return Table(("tasks", "wait share", "waiting", "computing", "verdict", "best set", "margin"), tuple(rows))

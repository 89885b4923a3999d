"""Forest chart: each model's ratio to the best of its case, with its interval, for one class of workloads and one
metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports.analysis.focus import Pairing, opponent, pairings
from reports.cases import quantities
from reports.cases.appearance import Style, model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.phrases import absence, interval_in_words
from reports.cases.run import Focus
from reports.cases.table import Table
from reports.drawing.front import IN_FRONT
from reports.drawing.sheet import INK, PALE_INK, RULE, Picture, Sheet, fitted, width_of, wrapped
from verdicts.statistics import MARGIN, Ratio
from vocabulary.representatives import BASELINE
from vocabulary.terms import CLASS_NAMES, METRIC_NAMES

_COLUMNS = 3
_WIDTH, _EDGE, _LABEL, _VALUE = 10.25, 0.15, 1.65, 1.14
_LINE, _TITLE, _SIZE, _SCALE, _SPACE = 0.18, 0.36, 0.13, 0.2, 0.2
_PAGE = 14.0  # inches of bands on a sheet
_PANEL = (_WIDTH - 2 * _EDGE - _LABEL) / _COLUMNS
_LEAST, _MOST = -2, 4  # the axis spans at most 1/4 to 16×; what lies beyond is an arrow with its number


@dataclass(frozen=True)
class _Axis:
    """log2 of the ratio → inches."""

    left: float
    width: float
    least: int
    most: int

    def at(self, ratio: float) -> float:
        return self.left + self.width * (math.log2(ratio) - self.least) / (self.most - self.least)

    def holds(self, ratio: float) -> bool:
        return self.least <= math.log2(ratio) <= self.most


@dataclass(frozen=True)
class _Band:
    """Up to three cases side by side, with one line for each model; the one in front comes first, and has a second line
    for its ratio to its reference."""

    cases: tuple[Case, ...]
    models: tuple[str, ...]
    sizes: tuple[tuple[str, ...], ...]  # of each case, in lines
    fronts: tuple[Pairing | None, ...]  # of each case; empty without a model in front that has one

    @property
    def title(self) -> float:
        return _TITLE + _SIZE * (max(map(len, self.sizes)) - 1)

    @property
    def height(self) -> float:
        return self.title + _LINE * self.lines + _SCALE

    @property
    def lines(self) -> int:
        return len(self.models) + bool(self.fronts)


def forests(analysis: Analysis, class_: str, metric: str) -> list[Picture]:
    """As many sheets as it takes for each to fit on a page; none if no case of the class has anything measured."""
    sheets: list[list[_Band]] = []
    for band in _bands(analysis, class_, metric):
        if not sheets or sum(other.height + _SPACE for other in (*sheets[-1], band)) > _PAGE:
            sheets.append([])
        sheets[-1].append(band)
    return [_forest(analysis, class_, metric, bands, number, len(sheets)) for number, bands in enumerate(sheets, 1)]


def _forest(analysis: Analysis, class_: str, metric: str, bands: list[_Band], number: int, sheets: int) -> Picture:
    styles = model_styles(analysis.run.models)
    height = 0.72 + sum(band.height + _SPACE for band in bands) + (0.81 if any(band.fronts for band in bands) else 0.62)
    sheet = Sheet(_WIDTH, height)
    title = f"{CLASS_NAMES[class_]}: {METRIC_NAMES[metric]} relative to the best" + (
        f" ({number} of {sheets})" if sheets > 1 else ""
    )
    sheet.text(_EDGE, 0.24, title, 13, bold=True)
    sheet.text(
        _EDGE,
        0.48,
        "ratio to the best of the case on a log2 axis, with its 95 % interval; grey band: ±5 %; left is better",
        8,
        colour=PALE_INK,
    )
    y = 0.72
    for band in bands:
        _draw_band(sheet, y, band, metric, styles, analysis.focus)
        y += band.height + _SPACE
    notes = [
        (
            "Filled and bold: the family's representative, which competes. Hollow: a variant, the serial baseline or a"
            " peer, which does not compete."
        ),
        (
            "A point without a bar: stopped early as clearly slower, or too few rounds for an interval. An arrow:"
            " beyond the axis. A dash: not part of this run."
        ),
    ]
    if analysis.focus and any(band.fronts for band in bands):
        notes.append(
            f"On the band: {analysis.focus.model}, first to the best like all others, below that to"
            f" {opponent(analysis.focus)}."
        )
    for place, note in enumerate(notes):
        sheet.text(_EDGE, y + 0.1 + place * 0.19, note, 7.5, width=_WIDTH - 2 * _EDGE, colour=PALE_INK)
    cases = sum(len(band.cases) for band in bands)
    alt = (
        f"Ratios to the best by {METRIC_NAMES[metric]} with 95 % intervals, {CLASS_NAMES[class_]},"
        f" {quantities.counted(cases, 'case')}. The table has every value."
    )
    return sheet.picture(
        f"forest-{class_}-{metric}" + (f"-{number}" if number > 1 else ""),
        title,
        alt,
        _table(bands, metric, analysis.focus),
    )


def _bands(analysis: Analysis, class_: str, metric: str) -> list[_Band]:
    """Cases that were measured on many models stand beside each other: beside the others most of their lines would be
    empty there."""
    cases = [
        case
        for row in analysis.rows_of(class_)
        for case in row.cases
        if metric in case.verdicts and case.verdicts[metric].ratios
    ]
    fronts = {pairing.case.id: pairing for pairing in pairings(analysis, metric)}
    front = analysis.focus.model if analysis.focus else ""
    bands = []
    for many in (False, True):
        alike = [case for case in cases if _shows_variants(case, metric) == many]
        for start in range(0, len(alike), _COLUMNS):
            together = tuple(alike[start : start + _COLUMNS])
            drawn = {
                m
                for c in together
                for m in c.cells
                if m in c.verdicts[metric].ratios or (m in c.competing and c.cells[m].status != "unsupported")
            }
            models = sorted(ordered(drawn), key=lambda model: model != front)
            bands.append(
                _Band(
                    together,
                    tuple(models),
                    tuple(_size(case, metric) for case in together),
                    tuple(fronts.get(case.id) for case in together) if front in drawn else (),
                )
            )
    return bands


def _size(case: Case, metric: str) -> tuple[str, ...]:
    """And why there is no best, where the ratios are to some other model."""
    verdict = case.verdicts[metric]
    why = "" if verdict.best_set else f" – {verdict.reason.partition(':')[0] or 'no verdict'}"
    label = ", ".join(part.replace(" ", "\u00a0") for part in case.label.split(", "))
    return wrapped(label + why, 7, _PANEL - 0.14)


def _shows_variants(case: Case, metric: str) -> bool:
    return any(model not in case.competing and model != BASELINE for model in case.verdicts[metric].ratios)


def _range(band: _Band, metric: str) -> tuple[int, int]:
    """Whole powers of two around everything that is drawn, as far as the axis goes."""
    ratios = [r for case in band.cases for r in case.verdicts[metric].ratios.values()] + [
        pairing.ratio for pairing in band.fronts if pairing and pairing.ratio
    ]
    lows = [r.low if r.low is not None else r.value for r in ratios]
    highs = [r.high if r.high is not None else r.value for r in ratios]
    return max(_LEAST, math.floor(math.log2(min(*lows, 0.9)))), min(_MOST, math.ceil(math.log2(max(*highs, 1.3))))


def _draw_band(
    sheet: Sheet, y: float, band: _Band, metric: str, styles: Mapping[str, Style], focus: Focus | None
) -> None:
    least, most = _range(band, metric)
    top = y + band.title
    bottom = top + _LINE * band.lines
    competing = {m for case in band.cases for m in case.competing}
    if band.fronts and focus:
        sheet.box(_EDGE - 0.05, top, _WIDTH - 2 * _EDGE + 0.1, 2 * _LINE, fill=IN_FRONT, z=0)
        sheet.text(
            _EDGE + 0.1, top + _LINE * 1.5, f"against {focus.against or 'the best other'}", 7, width=_LABEL - 0.2
        )
    lines = [place + (place > 0 and bool(band.fronts)) for place in range(len(band.models))]
    for line, model in zip(lines, band.models, strict=True):
        sheet.text(
            _EDGE,
            top + _LINE * (line + 0.5),
            f"{model} ({styles[model].tag})",
            7,
            width=_LABEL - 0.1,
            bold=model in competing,
        )
    for column, case in enumerate(band.cases):
        axis = _Axis(_EDGE + _LABEL + column * _PANEL + 0.06, _PANEL - _VALUE - 0.12, least, most)
        sheet.text(axis.left, y + 0.11, case.workload.id, 8.5, width=_PANEL - 0.14, bold=True)
        for line, part in enumerate(band.sizes[column]):
            sheet.text(axis.left, y + 0.26 + _SIZE * line, part, 7, width=_PANEL - 0.14)
        _frame(sheet, axis, top, bottom)
        if band.fronts and focus:
            _draw_front(sheet, axis, top + _LINE * 1.5, band.fronts[column], styles[focus.model])
        for line, model in zip(lines, band.models, strict=True):
            _draw_model(sheet, axis, top + _LINE * (line + 0.5), case, model, metric, styles[model])


def _frame(sheet: Sheet, axis: _Axis, top: float, bottom: float) -> None:
    low, high = axis.at(1 / MARGIN), axis.at(MARGIN)
    sheet.box(low, top, high - low, bottom - top, fill="#e4e4e4")
    room = axis.width / (axis.most - axis.least)
    for power in range(axis.least, axis.most + 1):
        x = axis.at(2.0**power)
        sheet.line((x, x), (top, bottom), colour="#707070" if power == 0 else "#e0e0e0")
        name = f"{2**power}×" if power >= 0 else f"1/{2**-power}"
        if room > 1.25 * width_of(name, 6.5) or (power - axis.least) % 2 == axis.least % 2:
            sheet.text(x, bottom + 0.1, name, 6.5, align="center", colour=PALE_INK)
    sheet.box(axis.left, top, axis.width, bottom - top, edge=RULE)


def _draw_model(sheet: Sheet, axis: _Axis, y: float, case: Case, model: str, metric: str, style: Style) -> None:
    verdict = case.verdicts[metric]
    ratio = verdict.ratios.get(model)
    right = axis.left + axis.width
    cell = case.cells.get(model)
    if cell is None:
        sheet.text(right + 0.44, y, "–", 7, align="right", colour=PALE_INK)
        return
    if ratio is None:
        words, points = fitted(absence(cell), 6.5, axis.width - 0.12)
        sheet.box(axis.left + 0.03, y - 0.06, width_of(words, points) + 0.06, 0.12, fill="white", z=3)
        sheet.text(axis.left + 0.06, y, words, points, colour=PALE_INK)
        return
    best = model == verdict.best
    # of a case without a verdict it is nobody's place to be called best
    reference = best or ratio == Ratio(1.0, 1.0, 1.0)
    _draw_ratio(sheet, axis, y, ratio, style, model in case.competing, not reference)
    sheet.text(
        right + 0.44, y, quantities.ratio(ratio.value), 7, width=0.4, bold=model in verdict.best_set, align="right"
    )
    if reference:
        sheet.text(right + 0.5, y, "best" if best else "reference", 6.5, colour=PALE_INK)
    elif ratio.low is not None and ratio.high is not None:
        sheet.text(right + 0.5, y, interval_in_words(ratio)[:-1], 6.5, width=_VALUE - 0.52, colour=PALE_INK)


def _draw_front(sheet: Sheet, axis: _Axis, y: float, pairing: Pairing | None, style: Style) -> None:
    """To its reference."""
    right = axis.left + axis.width
    if pairing is None or pairing.ratio is None:
        sheet.text(
            axis.left + 0.06, y, pairing.reason if pairing else "–", 6.5, width=axis.width - 0.12, colour=PALE_INK
        )
        return
    ratio = pairing.ratio
    _draw_ratio(sheet, axis, y, ratio, style, False, True)
    sheet.text(
        right + 0.44,
        y,
        f"{pairing.bound}{quantities.ratio(ratio.value)}",
        7,
        width=0.4,
        bold=pairing.standing != "open",
        align="right",
    )
    if ratio.low is not None and ratio.high is not None:
        sheet.text(right + 0.5, y, interval_in_words(ratio)[:-1], 6.5, width=_VALUE - 0.52, colour=PALE_INK)


def _draw_ratio(sheet: Sheet, axis: _Axis, y: float, ratio: Ratio, style: Style, filled: bool, interval: bool) -> None:
    right = axis.left + axis.width
    if ratio.low is not None and ratio.high is not None and axis.holds(ratio.value) and interval:
        ends = (max(axis.left, axis.at(ratio.low)), min(right, axis.at(ratio.high)))
        sheet.line(ends, (y, y), colour=INK, line=0.9, z=4)
        for end in ends:
            sheet.line((end, end), (y - 0.033, y + 0.033), colour=INK, line=0.9, z=4)
    fill = style.colour if filled else "white"
    if axis.holds(ratio.value):
        sheet.marker(axis.at(ratio.value), y, style.marker, 5.6, fill, style.colour)
    else:
        beyond = ratio.value > 1
        x = right - 0.06 if beyond else axis.left + 0.06
        sheet.marker(x, y, ">" if beyond else "<", 5.2, fill, style.colour)


def _table(bands: list[_Band], metric: str, focus: Focus | None) -> Table:
    rows = []
    for band in bands:
        for place, case in enumerate(band.cases):
            front = band.fronts[place] if band.fronts else None
            if focus and front and front.ratio:
                rows.append(
                    (
                        case.workload.id,
                        case.label,
                        f"{focus.model} against {front.reference}",
                        "–",
                        quantities.ratio(front.ratio.value),
                        interval_in_words(front.ratio),
                    )
                )
            for model in band.models:
                ratio = case.verdicts[metric].ratios.get(model)
                name = (case.workload.id, case.label, model, "yes" if model in case.competing else "no")
                if ratio is None:
                    rows.append((*name, "–", absence(case.cells.get(model))))
                else:
                    interval = "best" if model == case.verdicts[metric].best else interval_in_words(ratio)
                    rows.append((*name, quantities.ratio(ratio.value), interval))
    return Table(("workload", "size", "model", "competes", "ratio", "95 % interval"), tuple(rows))

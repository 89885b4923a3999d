"""Small multiples: charts of one kind in rows of three under a title; the models' names are placed in the last row if
there is room, otherwise below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.cases.appearance import Style
from reports.cases.table import Table
from reports.drawing.chart import Chart, Scale
from reports.drawing.legend import legend, legend_height
from reports.drawing.sheet import PALE_INK, Picture, Sheet

WIDTH, EDGE = 10.25, 0.15
COLUMNS = 3
_HEAD, _ABOVE, _BELOW, _LEFT, _NAMES = 0.66, 0.58, 0.42, 0.5, 0.42
_STEP = (WIDTH - 2 * EDGE) / COLUMNS


class Panels:
    """`height`: of a plotting area, in inches. `notes` stand at the foot."""

    def __init__(
        self,
        title: str,
        meaning: str,
        count: int,
        height: float,
        models: Sequence[str],
        styles: Mapping[str, Style],
        notes: Sequence[str] = (),
    ) -> None:
        self.title, self.styles = title, styles
        self._plot = height
        self._band = _ABOVE + height + _BELOW
        bottom = _HEAD + self._band * -(-count // COLUMNS)
        free = -count % COLUMNS
        beside = next(
            (columns for columns in range(1, 2 * free + 1) if legend_height(models, columns) <= self._band - _ABOVE),
            None,
        )
        foot = bottom + 0.15 + (0.0 if beside else legend_height(models))
        self.sheet = Sheet(WIDTH, foot + 0.19 * len(notes) + 0.1)
        self.sheet.text(EDGE, 0.24, title, 13, bold=True)
        self.sheet.text(EDGE, 0.48, meaning, 8, colour=PALE_INK, width=WIDTH - 2 * EDGE)
        if beside:
            left = EDGE + _STEP * (COLUMNS - free) + _LEFT
            legend(self.sheet, left, bottom - self._band + _ABOVE + 0.1, WIDTH - EDGE - left, models, styles, beside)
        else:
            legend(self.sheet, EDGE, bottom + 0.14, WIDTH - 2 * EDGE, models, styles)
        for place, note in enumerate(notes):
            self.sheet.text(EDGE, foot + 0.19 * place, note, 7.5, colour=PALE_INK, width=WIDTH - 2 * EDGE)

    def chart(self, place: int, xs: Scale, ys: Scale) -> Chart:
        """The chart at `place`, counted from 0, row by row."""
        left = EDGE + _STEP * (place % COLUMNS) + _LEFT
        top = _HEAD + self._band * (place // COLUMNS) + _ABOVE
        return Chart(self.sheet, left, top, _STEP - _LEFT - _NAMES, self._plot, xs, ys)

    def picture(self, name: str, alt: str, table: Table) -> Picture:
        """Finished, with its table for those who cannot see it."""
        return self.sheet.picture(name, self.title, alt, table)

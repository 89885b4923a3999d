"""Dots on lines: one line per model, columns side by side that share the lines, numbers to the right of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports.cases.table import Table
from reports.drawing.chart import Chart, Scale
from reports.drawing.sheet import PALE_INK, Picture, Sheet

WIDTH, EDGE = 10.25, 0.15
_LINE, _TOP, _FOOT = 0.185, 1.08, 0.4
_WIDEST = 3.5


class DotRows:
    """`rows`: the text of each line and whether it is bold. `label` and `values` are the inches for the lines' texts
    and for the numbers of a column."""

    def __init__(
        self,
        title: str,
        meaning: str,
        rows: Sequence[tuple[str, bool]],
        columns: int,
        notes: Sequence[str],
        label: float = 1.65,
        values: float = 0.95,
    ) -> None:
        self.title = title
        self._columns, self._label, self._values = columns, label, values
        self._height = _LINE * len(rows)
        bottom = _TOP + self._height + _FOOT
        self.sheet = Sheet(WIDTH, bottom + 0.19 * len(notes) + 0.1)
        self.sheet.text(EDGE, 0.24, title, 13, bold=True)
        self.sheet.text(EDGE, 0.48, meaning, 8, colour=PALE_INK, width=WIDTH - 2 * EDGE)
        for line, (text, bold) in enumerate(rows):
            self.sheet.text(EDGE, self.y(line), text, 7, width=label - 0.1, bold=bold)
            self.sheet.line((EDGE, WIDTH - EDGE), (self.y(line) + _LINE / 2,) * 2, colour="#efefef")
        for place, note in enumerate(notes):
            self.sheet.text(EDGE, bottom + 0.05 + 0.19 * place, note, 7.5, colour=PALE_INK, width=WIDTH - 2 * EDGE)

    def y(self, line: int) -> float:
        """Inches of the sheet."""
        return _TOP + _LINE * (line + 0.5)

    def column(self, place: int, name: str, remarks: tuple[str, str], xs: Scale, text: Callable[[float], str]) -> Chart:
        """A column with its heading and axis. `place`: from 0."""
        step = (WIDTH - 2 * EDGE - self._label) / self._columns
        left = EDGE + self._label + place * step
        width = min(step - self._values - 0.12, _WIDEST)
        self.sheet.text(left, _TOP - 0.35, name, 8.5, bold=True, width=step - 0.1)
        for line, remark in enumerate(remarks):
            self.sheet.text(left, _TOP - 0.205 + 0.125 * line, remark, 6.5, colour=PALE_INK, width=step - 0.1)
        chart = Chart(self.sheet, left, _TOP, width, self._height, xs, Scale(0, 1, log=False))
        chart.frame(text, str, x_ticks=xs.ticks(3 if width < 1.5 else 5), y_ticks=())
        return chart

    def numbers(self, chart: Chart, line: int, first: str, second: str = "", bold: bool = False) -> None:
        """To the right of a column."""
        right = chart.left + chart.width
        half = self._values / 2
        self.sheet.text(right + half + 0.02, self.y(line), first, 6.5, bold=bold, align="right", width=half - 0.03)
        if second:
            self.sheet.text(
                right + 2 * half + 0.02, self.y(line), second, 6.5, colour=PALE_INK, align="right", width=half - 0.03
            )

    def picture(self, name: str, alt: str, table: Table) -> Picture:
        """Finished, with its table for those who cannot see it."""
        return self.sheet.picture(name, self.title, alt, table)

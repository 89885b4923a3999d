"""The models of a figure by name: colour = family, marker and letters = model; beside the name whose work it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.cases.appearance import Style
from reports.drawing.sheet import PALE_INK, Sheet, fitted, width_of

_LINE = 0.24


def legend_height(models: Sequence[str], columns: int = 5) -> float:
    """Inches."""
    return _LINE * -(-len(models) // columns)


def legend(
    sheet: Sheet,
    left: float,
    y: float,
    width: float,
    models: Sequence[str],
    styles: Mapping[str, Style],
    columns: int = 5,
) -> None:
    """`y`: the middle of its first line."""
    step = width / columns
    for place, model in enumerate(models):
        style = styles[model]
        x, line = left + place % columns * step, y + place // columns * _LINE
        sheet.box(x, line - 0.085, 0.56, 0.17, fill=style.colour)
        mark(sheet, x + 0.28, line, style, 7.5, 0.5)
        word = width_of(style.engineering, 5.5) + 0.08 if style.engineering else 0.0
        name, points = fitted(model, 7.5, step - 0.66 - word)
        sheet.text(x + 0.63, line, name, points)
        sheet.text(x + 0.67 + width_of(name, points), line + 0.01, style.engineering, 5.5, colour=PALE_INK)


_BETWEEN = 0.04  # a marker and its letters, inches


def mark(
    sheet: Sheet, x: float, y: float, style: Style, points: float, width: float, beside: Sequence[Style] = ()
) -> None:
    """Marker and letters side by side on the model's colour, centred, in at most `width` inches; the letters alone
    where both find no room.

    Of the size at which those `beside` it find room too.
    """

    def total_at(points: float, style: Style) -> float:
        return points * 0.72 / 72 + _BETWEEN + width_of(style.code, points, True)

    def most_at(points: float) -> float:
        return max(total_at(points, each) for each in (style, *beside))

    while most_at(points) > width and points > 6:
        points -= 0.5
    if most_at(points) > width:
        points = max(6.0, min(8.0, 8.0 * width / max(width_of(each.code, 8, True) for each in (style, *beside))))
        sheet.text(x, y, style.code, points, bold=True, align="center", colour=style.text_colour)
        return
    across, total = points * 0.72, total_at(points, style)
    left = x - total / 2
    sheet.marker(left + across / 144, y, style.marker, across, style.text_colour, style.text_colour)
    sheet.text(left + across / 72 + _BETWEEN, y, style.code, points, bold=True, colour=style.text_colour)

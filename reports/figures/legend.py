"""The models of a figure by name: colour = family, marker and letters = model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.figures.sheet import Sheet, width_of
from reports.models import Look

_LINE = 0.24


def legend_height(models: Sequence[str], columns: int = 5) -> float:
    """Inches."""
    return _LINE * -(-len(models) // columns)


def legend(sheet: Sheet, left: float, y: float, width: float, models: Sequence[str], look: Mapping[str, Look], columns: int = 5) -> None:
    """`y`: the middle of its first line."""
    step = width / columns
    for place, model in enumerate(models):
        style = look[model]
        x, line = left + place % columns * step, y + place // columns * _LINE
        sheet.box(x, line - 0.085, 0.56, 0.17, fill=style.colour)
        mark(sheet, x + 0.28, line, style, 7.5, 0.5)
        sheet.text(x + 0.63, line, model, 7.5, width=step - 0.68)


def mark(sheet: Sheet, x: float, y: float, style: Look, points: float, width: float) -> None:
    """Marker and letters side by side on the model's colour, centred, in at most `width` inches; the letters alone where both find no room."""

    def total_at(points: float) -> float:
        return points * 0.72 / 72 + 0.06 + width_of(style.code, points, True)

    while total_at(points) > width and points > 6:
        points -= 0.5
    if total_at(points) > width:
        sheet.text(x, y, style.code, points, bold=True, align="center", colour=style.text_colour)
        return
    across, total = points * 0.72, total_at(points)
    left = x - total / 2
    sheet.marker(left + across / 144, y, style.marker, across, style.text_colour, style.text_colour)
    sheet.text(left + across / 72 + 0.06, y, style.code, points, bold=True, colour=style.text_colour)

"""The tile of a verdict: colour and letters say who; paleness, hatching and a number say how sure. It is readable
without colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reports.cases.appearance import Style, ordered
from reports.cases.phrases import number
from reports.drawing.legend import mark
from reports.drawing.sheet import INK, UNDECIDED, Sheet, width_of
from verdicts.deciding import WIDEST, Verdict
from verdicts.statistics import MARGIN

_AHEAD = 0.6  # how much paler than a win
_TIED_PALE, _TIED_PALER = 0.4, 0.75  # of ties within 5 % and within the most
_ROOM = 0.05


def tile(
    sheet: Sheet, box: tuple[float, float, float, float], verdict: Verdict, styles: Mapping[str, Style], points: float
) -> None:
    """`box`: left, top, width, height; `points`: of the letters. A verdict of kind none has no tile."""
    if verdict.kind in ("wins", "ahead"):
        _leader(sheet, box, verdict, styles, points)
    elif verdict.kind in ("tie", "tie_within"):
        _tie(sheet, box, verdict, styles, points)
    elif verdict.kind == "safe_choice":
        _safe(sheet, box, verdict, styles, points)
    elif verdict.kind == "open":
        x, y, width, height = box
        sheet.box(x, y, width, height, fill=UNDECIDED)
        sheet.text(x + _ROOM, y + height / 2, "?", points, bold=True)
        letters = " ".join(styles[m].code for m in ordered(verdict.best_set))
        sheet.text(x + 0.19, y + height / 2, letters, points - 1.5, bold=True, width=width - 0.22)


def drawn(verdict: Verdict) -> tuple[str, ...]:
    """The models that the tile names."""
    if verdict.kind == "none":
        return ()
    return (
        (verdict.safe_choice or verdict.best_set[0],)
        if verdict.kind == "safe_choice"
        else verdict.best_set[:1]
        if verdict.kind == "ahead"
        else verdict.best_set
    )


def paler(colour: str, by: float) -> str:
    """`by`: 0 is the colour itself, 1 is white."""
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * by):02x}" for part in parts)


def on_white(style: Style) -> Style:
    """For letters on what is too pale for white ones."""
    return replace(style, text_colour=INK)


def _leader(
    sheet: Sheet, box: tuple[float, float, float, float], verdict: Verdict, styles: Mapping[str, Style], points: float
) -> None:
    x, y, width, height = box
    style = styles[verdict.best_set[0]]
    if verdict.kind == "ahead":
        sheet.box(x, y, width, height, fill=paler(style.colour, _AHEAD))
        sheet.box(x + 0.01, y + 0.01, width - 0.02, height - 0.02, edge=style.colour, line=1.3)
        style = on_white(style)
    else:
        sheet.box(x, y, width, height, fill=style.colour)
    mark(sheet, x + 0.3, y + height / 2, style, points, 0.5)
    _number(sheet, box, verdict, style.text_colour)


def _tie(
    sheet: Sheet, box: tuple[float, float, float, float], verdict: Verdict, styles: Mapping[str, Style], points: float
) -> None:
    x, y, width, height = box
    within = verdict.within if verdict.kind == "tie_within" else None
    pale = 0.0
    if within is not None:
        width -= width_of(number(verdict), 6.5, True) + 2 * _ROOM
        pale = _TIED_PALE + (_TIED_PALER - _TIED_PALE) * (within - (MARGIN - 1)) / (WIDEST - (MARGIN - 1))
    share = width / len(verdict.best_set)
    tied = [on_white(styles[m]) if pale else styles[m] for m in ordered(verdict.best_set)]
    for place, style in enumerate(tied):
        sheet.box(x + place * share, y, share, height, fill=paler(style.colour, pale), edge="white", line=0.8)
        mark(sheet, x + (place + 0.5) * share, y + height / 2, style, points, share - 0.07, tied)
    _number(sheet, box, verdict, INK)


def _safe(
    sheet: Sheet, box: tuple[float, float, float, float], verdict: Verdict, styles: Mapping[str, Style], points: float
) -> None:
    """The hatching lies between the letters and the number."""
    x, y, width, height = box
    style = on_white(styles[drawn(verdict)[0]])
    top, bottom = y + 0.02, y + height - 0.02
    sheet.area([[(x, top), (x + width, top), (x + width, bottom), (x, bottom)]], hatch="/////", colour=style.colour)
    right = width_of(number(verdict), 6.5, True) + 2 * _ROOM
    sheet.box(x, y, 0.42, height, fill=paler(style.colour, _AHEAD), z=2.5)
    sheet.box(x + width - right, y, right, height, fill="white", z=2.5)
    sheet.box(x + 0.01, y + 0.01, width - 0.02, height - 0.02, edge=style.colour, line=1.3, z=2.6)
    mark(sheet, x + 0.21, y + height / 2, style, points, 0.38)
    _number(sheet, box, verdict, INK)


def _number(sheet: Sheet, box: tuple[float, float, float, float], verdict: Verdict, colour: str) -> None:
    x, y, width, height = box
    sheet.text(x + width - _ROOM, y + height / 2, number(verdict), 6.5, align="right", bold=True, colour=colour)

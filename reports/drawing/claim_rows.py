"""The frame of a claim's chart: a row for each check, with what is measured beside what the claim expects, over one
axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports.analysis.claims import Claim
from reports.analysis.evidence import Check, named
from reports.cases.table import Table
from reports.drawing.sheet import INK, PALE_INK, RULE, Picture, Sheet

_WIDTH, _EDGE, _LABEL, _VALUE = 8.6, 0.15, 3.9, 1.25
_LINE, _SCALE, _TOP = 0.21, 0.26, 0.12
LEFT, LENGTH = _EDGE + _LABEL, _WIDTH - 2 * _EDGE - _LABEL - _VALUE  # of the axis, inches
_MARKS = {True: "holds", False: "does not", None: "open"}
_BESIDE = "#8c8c8c"
_COLOURS = {"C++": "#0072b2", "CPython": "#56b4e9"}


@dataclass(frozen=True)
class Row:
    """`expected`: from where to where on the axis, in inches."""

    check: Check
    value: str
    expected: tuple[float, float] | None
    draw: Callable[[Sheet, float, str, str], None]  # at that height, in that colour and fill


@dataclass(frozen=True)
class Tick:
    """A value of an axis, with its text."""

    x: float
    label: str
    colour: str = "#e0e0e0"


def claim_rows(claim: Claim, rows: Sequence[Row], ticks: Sequence[Tick], note: str, alt: str) -> Picture:
    """`note` explains the marks, `alt` says what the rows are."""
    bottom = _TOP + _LINE * len(rows)
    sheet = Sheet(_WIDTH, bottom + _SCALE + 0.22)
    for line, row in enumerate(rows):
        _draw(sheet, row, _TOP + _LINE * line)
    for tick in ticks:
        sheet.line((tick.x, tick.x), (_TOP, bottom), colour=tick.colour, z=2)
        if tick.label:
            sheet.text(tick.x, bottom + 0.1, tick.label, 6.5, align="center", colour=PALE_INK)
    sheet.box(LEFT, _TOP, LENGTH, bottom - _TOP, edge=RULE)
    sheet.text(_EDGE, bottom + _SCALE + 0.08, note, 6.5, width=_WIDTH - 2 * _EDGE, colour=PALE_INK)
    alt = (
        f"Claim {claim.number}, {claim.text} {claim.verdict}: {alt} beside what is expected. The table has every value."
    )
    return sheet.picture(f"claim-{claim.number:02}", claim.text, alt, evidence_table(claim))


def evidence_table(claim: Claim) -> Table:
    """Each check of the claim as a row."""
    rows = (
        (
            check.what,
            check.side,
            f"{check.engineering or '–'}{'' if check.judges else ', judges nothing'}",
            check.cells,
            check.measured,
            check.expected,
            _MARKS[check.holds],
            check.note or "–",
        )
        for check in claim.checks
    )
    return Table(("measured", "in", "variant", "cells", "value", "expected", "shown", "note"), tuple(rows))


def whisker(sheet: Sheet, y: float, ends: tuple[float, float], capped: Sequence[float]) -> None:
    """An interval, with a stroke across at each of `capped`."""
    sheet.line(ends, (y, y), colour=INK, line=0.9, z=4)
    for end in capped:
        sheet.line((end, end), (y - 0.035, y + 0.035), colour=INK, line=0.9, z=4)


def _draw(sheet: Sheet, row: Row, top: float) -> None:
    y, colour = top + _LINE / 2, _COLOURS[row.check.side] if row.check.judges else _BESIDE
    sheet.text(_EDGE, y, named(row.check), 7, width=_LABEL - 0.1, colour=INK if row.check.judges else PALE_INK)
    if row.expected is not None:
        begin, end = row.expected
        sheet.box(begin, top + 0.02, end - begin, _LINE - 0.04, fill="#e4e4e4")
    row.draw(sheet, y, colour, colour if row.check.side == "C++" else "white")
    sheet.text(LEFT + LENGTH + 0.55, y, row.value, 7, width=0.5, align="right", bold=True)
    sheet.text(LEFT + LENGTH + 0.62, y, _MARKS[row.check.holds], 6.5, width=_VALUE - 0.64, colour=PALE_INK)

"""A claim's evidence: each measured ratio with its interval, beside what the claim expects of it."""

from __future__ import annotations

import math
from collections.abc import Callable

from reports import quantities
from reports.claims import Claim
from reports.evidence import Check, named
from reports.figures.sheet import INK, PALE_INK, RULE, Picture, Sheet, Table, width_of
from reports.statistics import MARGIN

_WIDTH, _EDGE, _LABEL, _VALUE = 8.6, 0.15, 3.9, 1.25
_LINE, _SCALE = 0.21, 0.26
_LEAST, _MOST = -6, 8  # the axis spans at most 1/64 to 256×; what lies beyond is an arrow with its number
COLOURS = {"C++": "#0072b2", "CPython": "#56b4e9"}
At = Callable[[float], float]  # ratio → inches
MARKS = {True: "holds", False: "does not", None: "open"}


def claim_chart(claim: Claim) -> Picture | None:
    """None if no check has a ratio to draw."""
    drawn = sorted((check for check in claim.checks if check.ratio is not None), key=lambda check: check.side != "C++")
    if not drawn:
        return None
    least, most = _range(drawn)
    bottom = 0.12 + _LINE * len(drawn)
    sheet = Sheet(_WIDTH, bottom + _SCALE + 0.22)
    left, width = _EDGE + _LABEL, _WIDTH - 2 * _EDGE - _LABEL - _VALUE

    def at(ratio: float) -> float:
        return left + width * (min(max(math.log2(ratio), least), most) - least) / (most - least)

    for line, check in enumerate(drawn):
        _draw(sheet, check, 0.12 + _LINE * line, left, width, at)
    for power in range(least, most + 1):
        x = at(2.0**power)
        sheet.line((x, x), (0.12, bottom), colour="#707070" if power == 0 else "#e0e0e0", z=2)
        name = f"{2**power}×" if power >= 0 else f"1/{2**-power}"
        if width / (most - least) > 1.25 * width_of(name, 6.5) or power % 2 == 0:
            sheet.text(x, bottom + 0.1, name, 6.5, align="center", colour=PALE_INK)
    sheet.box(left, 0.12, width, bottom - 0.12, edge=RULE)
    sheet.text(_EDGE, bottom + _SCALE + 0.08, "Ratio on a log2 axis with its 95 % interval; shaded: what the claim expects. Filled: C++; hollow: CPython. An arrow: beyond the axis.", 6.5, width=_WIDTH - 2 * _EDGE, colour=PALE_INK)
    alt = f"Claim {claim.number}, {claim.text} {claim.verdict}: {quantities.counted(len(drawn), 'measured ratio')} beside what is expected. The table has every value."
    return sheet.picture(f"claim-{claim.number:02}", claim.text, alt, evidence_table(claim))


def evidence_table(claim: Claim) -> Table:
    rows = ((check.what, check.side, check.cells, check.measured, check.expected, MARKS[check.holds], check.note or "–") for check in claim.checks)
    return Table(("measured", "in", "cells", "value", "expected", "shown", "note"), tuple(rows))


def _range(checks: list[Check]) -> tuple[int, int]:
    """Whole powers of two around everything that is drawn, 1 and the limits, as far as the axis goes."""
    values = [1 / MARGIN, MARGIN]
    for check in checks:
        assert check.ratio is not None
        values += [value for value in (check.ratio.value, check.ratio.low, check.ratio.high) if value is not None and value > 0]
        if check.limit is not None:
            values += [check.limit.limit / 1.1, check.limit.limit * 1.1]
    least, most = math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))
    return max(_LEAST, least), min(_MOST, most)


def _draw(sheet: Sheet, check: Check, top: float, left: float, width: float, at: At) -> None:
    assert check.ratio is not None
    y = top + _LINE / 2
    sheet.text(_EDGE, y, named(check), 7, width=_LABEL - 0.1)
    if check.limit is not None:
        begin, end = (at(check.limit.limit), left + width) if check.limit.least else (left, at(check.limit.limit))
        sheet.box(begin, top + 0.02, end - begin, _LINE - 0.04, fill="#e4e4e4")
    ratio, colour = check.ratio, COLOURS[check.side]
    fill = colour if check.side == "C++" else "white"
    if ratio.low is not None and ratio.high is not None:
        ends = (at(ratio.low), at(ratio.high))
        sheet.line(ends, (y, y), colour=INK, line=0.9, z=4)
        for end in ends:
            sheet.line((end, end), (y - 0.035, y + 0.035), colour=INK, line=0.9, z=4)
    x = at(ratio.value)
    beyond = math.isclose(x, left) or math.isclose(x, left + width)
    marker = "o" if not beyond else ">" if ratio.value > 1 else "<"
    sheet.marker(min(max(x, left + 0.06), left + width - 0.06) if beyond else x, y, marker, 5.4, fill, colour)
    sheet.text(left + width + 0.55, y, quantities.ratio(ratio.value), 7, width=0.5, align="right", bold=True)
    sheet.text(left + width + 0.62, y, MARKS[check.holds], 6.5, width=_VALUE - 0.64, colour=PALE_INK)

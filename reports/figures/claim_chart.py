"""A claim's evidence: each measured ratio with its interval, beside what the claim expects of it."""

from __future__ import annotations

import math
from collections.abc import Callable

from reports.analysis.claims import Claim
from reports.analysis.evidence import Check
from reports.cases import quantities
from reports.drawing.claim_rows import LEFT, LENGTH, Row, Tick, claim_rows, whisker
from reports.drawing.sheet import Picture, Sheet, width_of
from verdicts.statistics import MARGIN, Ratio

_LEAST, _MOST = -6, 8  # the axis spans at most 1/64 to 256×; what lies beyond is an arrow with its number
At = Callable[[float], float]  # ratio → inches


def claim_chart(claim: Claim) -> Picture | None:
    """None if no check has a ratio to draw."""
    drawn = sorted((check for check in claim.checks if check.ratio is not None), key=lambda check: check.side != "C++")
    if not drawn:
        return None
    least, most = _range(drawn)

    def at(ratio: float) -> float:
        return LEFT + LENGTH * (min(max(math.log2(ratio), least), most) - least) / (most - least)

    ticks = []
    for power in range(least, most + 1):
        name = f"{2**power}×" if power >= 0 else f"1/{2**-power}"
        fits = LENGTH / (most - least) > 1.25 * width_of(name, 6.5) or power % 2 == 0
        ticks.append(Tick(at(2.0**power), name if fits else "", "#707070" if power == 0 else "#e0e0e0"))
    note = (
        "Ratio on a log2 axis with its 95 % interval; shaded: what the claim expects. Filled: C++; hollow: CPython;"
        " grey: judges nothing. An arrow: beyond the axis, or that far at least."
    )
    return claim_rows(
        claim,
        [_row(check, check.ratio, at) for check in drawn if check.ratio is not None],
        ticks,
        note,
        quantities.counted(len(drawn), "measured ratio"),
    )


def _range(checks: list[Check]) -> tuple[int, int]:
    """Whole powers of two around everything that is drawn, 1 and the limits, as far as the axis goes."""
    values = [1 / MARGIN, MARGIN]
    for check in checks:
        assert check.ratio is not None
        values += [
            value for value in (check.ratio.value, check.ratio.low, check.ratio.high) if value is not None and value > 0
        ]
        if check.limit is not None:
            values += [check.limit.limit / 1.1, check.limit.limit * 1.1]
    least, most = math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))
    return max(_LEAST, least), min(_MOST, most)


def _row(check: Check, ratio: Ratio, at: At) -> Row:
    limit, right = check.limit, LEFT + LENGTH

    def draw(sheet: Sheet, y: float, colour: str, fill: str) -> None:
        if ratio.low is not None and ratio.high is not None:
            ends = (at(ratio.low), at(ratio.high))
            whisker(sheet, y, ends, ends)
        x = at(ratio.value)
        beyond = math.isclose(x, LEFT) or math.isclose(x, right)
        marker = check.bound or ("o" if not beyond else ">" if ratio.value > 1 else "<")
        sheet.marker(min(max(x, LEFT + 0.06), right - 0.06) if beyond else x, y, marker, 5.4, fill, colour)

    expected = None if limit is None else (at(limit.limit), right) if limit.least else (LEFT, at(limit.limit))
    return Row(check, f"{check.bound} {quantities.ratio(ratio.value)}".lstrip(), expected, draw)

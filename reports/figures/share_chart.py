"""A claim's evidence where it is a share of cases and no ratio: how many show it, how many leave it open, and what the claim expects."""

from __future__ import annotations

from reports import quantities
from reports.claims import Claim
from reports.evidence import Check, named
from reports.figures.claim_chart import COLOURS, MARKS, evidence_table
from reports.figures.sheet import INK, PALE_INK, RULE, Picture, Sheet

_WIDTH, _EDGE, _LABEL, _VALUE = 8.6, 0.15, 3.9, 1.25
_LINE, _SCALE = 0.21, 0.26


def share_chart(claim: Claim) -> Picture | None:
    """None if no check has a share to draw."""
    drawn = [check for check in claim.checks if check.share is not None]
    if not drawn:
        return None
    bottom = 0.12 + _LINE * len(drawn)
    sheet = Sheet(_WIDTH, bottom + _SCALE + 0.22)
    left, width = _EDGE + _LABEL, _WIDTH - 2 * _EDGE - _LABEL - _VALUE
    for line, check in enumerate(drawn):
        _draw(sheet, check, 0.12 + _LINE * line, left, width)
    for quarter in range(5):
        x = left + width * quarter / 4
        sheet.line((x, x), (0.12, bottom), colour="#e0e0e0", z=2)
        sheet.text(x, bottom + 0.1, f"{25 * quarter} %", 6.5, align="center", colour=PALE_INK)
    sheet.box(left, 0.12, width, bottom - 0.12, edge=RULE)
    note = "Share of the cases or samples; shaded: what the claim expects. Bar: in which it is shown; line: in which it is open. Filled: C++; hollow: CPython."
    sheet.text(_EDGE, bottom + _SCALE + 0.08, note, 6.5, width=_WIDTH - 2 * _EDGE, colour=PALE_INK)
    alt = f"Claim {claim.number}, {claim.text} {claim.verdict}: {quantities.counted(len(drawn), 'share')} beside what is expected. The table has every value."
    return sheet.picture(f"claim-{claim.number:02}", claim.text, alt, evidence_table(claim))


def _draw(sheet: Sheet, check: Check, top: float, left: float, width: float) -> None:
    share, colour = check.share, COLOURS[check.side]
    assert share is not None
    y = top + _LINE / 2
    sheet.text(_EDGE, y, named(check), 7, width=_LABEL - 0.1)
    begin, end = (share.limit, 1.0) if share.least else (0.0, share.limit)
    sheet.box(left + width * min(begin, 0.985), top + 0.02, width * (end - min(begin, 0.985)), _LINE - 0.04, fill="#e4e4e4")
    sheet.box(left, y - 0.05, max(width * share.shown, 0.02), 0.1, fill=colour if check.side == "C++" else "white", edge=colour, line=0.9, z=4)
    if share.possible > share.shown:
        ends = (left + width * share.shown, left + width * share.possible)
        sheet.line(ends, (y, y), colour=INK, line=0.9, z=4)
        sheet.line((ends[1], ends[1]), (y - 0.035, y + 0.035), colour=INK, line=0.9, z=4)
    sheet.text(left + width + 0.55, y, f"{100 * share.shown:.0f} %", 7, width=0.5, align="right", bold=True)
    sheet.text(left + width + 0.62, y, MARKS[check.holds], 6.5, width=_VALUE - 0.64, colour=PALE_INK)

"""A claim's evidence as a share of cases: how many show it, how many leave it open, and what the claim expects."""

from __future__ import annotations

from reports.analysis.claims import Claim
from reports.analysis.evidence import Check, Share
from reports.cases import quantities
from reports.drawing.claim_rows import LEFT, LENGTH, Row, Tick, claim_rows, whisker
from reports.drawing.sheet import Picture, Sheet


def share_chart(claim: Claim) -> Picture | None:
    """None if no check has a share to draw."""
    rows = [_row(check, check.share) for check in claim.checks if check.share is not None]
    if not rows:
        return None
    ticks = [Tick(LEFT + LENGTH * quarter / 4, f"{25 * quarter} %") for quarter in range(5)]
    note = (
        "Share of the cases or samples; shaded: what the claim expects. Bar: in which it is shown; line: in which it is"
        " open. Filled: C++; hollow: CPython; grey: judges nothing."
    )
    return claim_rows(claim, rows, ticks, note, quantities.counted(len(rows), "share"))


def _row(check: Check, share: Share) -> Row:
    begin, end = (min(share.limit, 0.985), 1.0) if share.least else (0.0, share.limit)

    def draw(sheet: Sheet, y: float, colour: str, fill: str) -> None:
        sheet.box(LEFT, y - 0.05, max(LENGTH * share.shown, 0.02), 0.1, fill=fill, edge=colour, line=0.9, z=4)
        if share.possible > share.shown:
            open_until = LEFT + LENGTH * share.possible
            whisker(sheet, y, (LEFT + LENGTH * share.shown, open_until), (open_until,))

    return Row(
        check, f"{quantities.three_digits(100 * share.shown)} %", (LEFT + LENGTH * begin, LEFT + LENGTH * end), draw
    )

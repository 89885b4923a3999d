"""The line of the model in focus: its colour, arrow and words say whether it is ahead of its reference, behind it, or
neither."""

from __future__ import annotations

from collections.abc import Mapping

from reports.analysis.focus import Pairing, Standing, in_words, opponent
from reports.cases import quantities
from reports.cases.appearance import Style
from reports.cases.run import Focus
from reports.drawing.sheet import INK, PALE_INK, UNDECIDED, Sheet, width_of

FRONT_HEIGHT = 0.15
IN_FRONT = "#fff3c4"  # behind its lines in charts
COLOURS: Mapping[Standing, str] = {"ahead": "#1b7837", "behind": "#b2182b", "open": UNDECIDED, "none": "#ffffff"}
_ARROWS: Mapping[Standing, str] = {"ahead": "▲ ", "behind": "▼ ", "open": "", "none": ""}
_POINTS = 6.3


def front_line(sheet: Sheet, box: tuple[float, float, float, float], pairing: Pairing) -> None:
    """`box`: left, top, width, height."""
    x, y, width, height = box
    sheet.box(x, y, width, height, fill=COLOURS[pairing.standing])
    colour = "#ffffff" if pairing.standing in ("ahead", "behind") else INK if pairing.standing == "open" else PALE_INK
    told = _ARROWS[pairing.standing] + _short(pairing)
    if pairing.standing == "none" and width_of(told, _POINTS) > width - 0.08:
        told = "– not compared"
    sheet.text(
        x + 0.05, y + height / 2, told, _POINTS, width=width - 0.08, bold=pairing.standing != "none", colour=colour
    )


def _short(pairing: Pairing) -> str:
    """Without the interval where that says who is ahead; where it is open, the interval of the ratio."""
    ratio = pairing.ratio
    if pairing.standing == "open" and ratio is not None and ratio.low is not None and ratio.high is not None:
        return f"? {quantities.ratio(ratio.low)[:-1]} to {quantities.ratio(ratio.high)}"
    return in_words(pairing, interval=False)


def front_note(focus: Focus | None, styles: Mapping[str, Style]) -> tuple[str, ...]:
    """A line of the legend; none without a model in front."""
    if focus is None:
        return ()
    name = f"{focus.model} ({styles[focus.model].code})" if focus.model in styles else focus.model
    return (
        (
            f"The line below each tile: {name} against {opponent(focus)}. ▲ green: ahead; ▼ red: behind; ? grey: not"
            " told apart, with the 95 % interval of the ratio; –: not compared."
        ),
    )

"""What the tiles of verdicts mean: one of each kind, in grey, with its meaning beside it."""

from __future__ import annotations

from reports.cases.appearance import Style
from reports.drawing.sheet import RULE, Sheet
from reports.drawing.tile import tile
from verdicts.deciding import Verdict
from verdicts.statistics import Ratio

_LINE, _TILE, _COLUMNS = 0.22, 0.95, 2
_LOOKS = {
    code: Style(code, colour, "#ffffff", marker, "-", "peer")
    for code, colour, marker in (("X", "#606060", "o"), ("Y", "#8a8a8a", "s"))
}
_RATIOS = {"X": Ratio(1.0), "Y": Ratio(1.4, 1.012, 1.068)}
_KINDS = (
    (Verdict("wins", ("X",), ("Y",), _RATIOS, 0), "X wins: all others are over 5 % behind, the next by this factor"),
    (Verdict("ahead", ("X", "Y"), (), _RATIOS, 0), "X is ahead of all others; of the next by so much"),
    (Verdict("tie", ("X", "Y"), (), _RATIOS, 0), "a tie: all of these are within 5 % of the best"),
    (
        Verdict("tie_within", ("X", "Y"), (), _RATIOS, 0, within=0.08),
        "a tie within 8 %: all of these are within 8 % of the best",
    ),
    (
        Verdict("safe_choice", ("X", "Y"), (), _RATIOS, 0, safe_choice="X", regret=0.09),
        "open, but X is a safe choice: at most 9 % from the best",
    ),
    (Verdict("open", ("X", "Y"), (), _RATIOS, 0), "open: one of these is the best; no choice is safe"),
)
KEY_HEIGHT = _LINE * -(-len(_KINDS) // _COLUMNS)


def tile_key(sheet: Sheet, left: float, top: float, width: float) -> None:
    """Draws a tile of each kind of verdict with what it means."""
    step = width / _COLUMNS
    for place, (verdict, meaning) in enumerate(_KINDS):
        x, y = left + place % _COLUMNS * step, top + place // _COLUMNS * _LINE
        box = (x, y + 0.02, _TILE, _LINE - 0.04)
        tile(sheet, box, verdict, _LOOKS, 7.5)
        sheet.box(*box, edge=RULE, z=3)
        sheet.text(x + _TILE + 0.08, y + _LINE / 2, meaning, 7.5, width=step - _TILE - 0.15)

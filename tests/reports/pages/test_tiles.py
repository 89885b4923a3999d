"""The tiles of the winner maps: what each kind of verdict looks like, without colour too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from reports.cases.appearance import Style
from reports.cases.cases import analyse
from reports.cases.read import parse_run
from reports.cases.table import Table
from reports.drawing.sheet import Sheet
from reports.drawing.tile import drawn, paler, tile
from reports.drawing.tile_key import KEY_HEIGHT, tile_key
from reports.figures.winner_map import winner_map
from tests.reports import synthetic
from tests.reports.cases.test_phrases import AHEAD, OPEN, SAFE, SINGLE, TIE, WINS, WITHIN
from verdicts.deciding import Verdict

FULL = "#0072b2"
LOOK = {
    id: Style(id.upper(), FULL, "#ffffff", marker, "-", "event_loop")
    for id, marker in (("a", "o"), ("b", "s"), ("d", "^"))
}


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def svg_of(verdict: Verdict) -> str:
    sheet = Sheet(1.2, 0.3)
    tile(sheet, (0.05, 0.02, 1.1, 0.25), verdict, LOOK, 9.5)
    return sheet.picture("tile", "title", "alt", Table((), ())).svg


@pytest.mark.parametrize(
    ("verdict", "letters"),
    [
        (WINS, ["A", "1.30×"]),
        (AHEAD, ["A", "1–7 %"]),
        (TIE, ["A", "B", "D"]),
        (WITHIN, ["A", "B", "8 %"]),
        (SAFE, ["B", "≤ 9 %"]),
        (OPEN, ["?", "A B"]),
    ],
)
def test_letters_and_a_number_say_the_verdict_without_colour(verdict: Verdict, letters: list[str]) -> None:
    assert [text for text in texts(svg_of(verdict)) if text] == letters


def fills(svg: str) -> list[str]:
    """Of boxes, in their order."""
    return re.findall(
        r'<path d="[^"]*"[^>]* style="fill: (#[0-9a-f]{6})', re.sub(r"<defs>.*?</defs>", "", svg, flags=re.DOTALL)
    )


def test_full_colour_is_for_wins_and_ties_and_hatching_for_safe_choices_only() -> None:
    filled = {verdict.kind: FULL in fills(svg_of(verdict)) for verdict in (WINS, AHEAD, TIE, WITHIN, SAFE, OPEN)}
    assert filled == {
        "wins": True,
        "ahead": False,
        "tie": True,
        "tie_within": False,
        "safe_choice": False,
        "open": False,
    }
    assert [verdict.kind for verdict in (WINS, AHEAD, TIE, WITHIN, SAFE, OPEN) if "<pattern" in svg_of(verdict)] == [
        "safe_choice"
    ]


def test_a_wider_tie_is_paler() -> None:
    wide = Verdict("tie_within", ("a", "b"), (), {}, 12, within=0.15)
    assert paler("#000000", 0.5) == "#808080" and paler(FULL, 0) == FULL and paler(FULL, 1) == "#ffffff"
    assert FULL < fills(svg_of(WITHIN))[1] < fills(svg_of(wide))[1] < "#ffffff"


def test_a_verdict_of_kind_none_has_no_tile() -> None:
    assert drawn(SINGLE) == () and texts(svg_of(SINGLE)) == []


def test_the_key_has_every_kind_that_has_a_tile() -> None:
    sheet = Sheet(10, KEY_HEIGHT + 0.1)
    tile_key(sheet, 0, 0, 10)
    told = texts(sheet.picture("key", "title", "alt", Table((), ())).svg)
    for words in ("wins", "ahead", "a tie:", "a tie within 8 %", "safe choice", "open:"):
        assert any(words in text for text in told), words
    assert not any(text.endswith("…") for text in told)


def mapped(metric: str, *cells: list[dict[str, Any]]) -> tuple[list[str], Table]:
    every = [cell for group in cells for cell in group]
    models = list(dict.fromkeys(cell["model"] for cell in every))
    workloads = [{"id": id, "class": "io"} for id in dict.fromkeys(cell["workload"] for cell in every)]
    picture = winner_map(analyse(parse_run(synthetic.run(models, workloads, every), "x")), metric)
    return texts(picture.svg), picture.table


def test_a_case_whose_time_is_given_has_no_tile_by_time() -> None:
    paced = synthetic.measured(
        {"event_loop": (1e6, 1e6), "fibers": (1e6, 2e6)},
        "echo_at_rate",
        {"load_percent": 50},
        12,
        0.01,
        1,
        offered_per_s=1000,
    )
    free = synthetic.measured({"event_loop": (1e6, 1e6), "fibers": (2e6, 2e6)}, "fetch", {"n": 1}, 12, 0.01, 2)
    by_time, table = mapped("time", paced, free)
    assert "fetch" in by_time and "echo_at_rate" not in by_time
    assert [row[0] for row in table.rows] == ["fetch"]
    by_cpu, table = mapped("cpu", paced, free)
    assert "echo_at_rate" in by_cpu and [row[0] for row in table.rows] == ["echo_at_rate", "fetch"]
    assert mapped("time", paced)[1].rows == ()


def test_a_tile_says_which_of_a_tie_needs_less_cpu() -> None:
    cells = synthetic.measured({"event_loop": (1e6, 6e5), "fibers": (1e6, 1e6)}, "w", {"n": 1}, 24, 0.004, 3)
    by_time, table = mapped("time", cells)
    assert "E at 0.6 of the CPU" in by_time and table.rows[0][-1].endswith("; event_loop at 0.6 of the CPU")
    by_cpu, table = mapped("cpu", cells)
    assert "E at 0.6 of the CPU" not in by_cpu


def test_a_model_without_a_rival_is_named_and_has_no_colour() -> None:
    texts_, table = mapped("time", synthetic.measured({"event_loop": (1e6, 1e6)}, "w", {"n": 1}, 24, 0.004, 3))
    assert "– E: no rival" in texts_ and table.rows[0][2:4] == ("no rival", "event_loop")

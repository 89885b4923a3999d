"""A model in front: its ratios to a reference, whether or not it competes, and every place that shows them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import reports
from reports.analysis import focus
from reports.cases.cases import Analysis, analyse
from reports.cases.read import ReadError, parse_run
from reports.cases.run import Focus
from reports.comparison.compare import compare
from reports.comparison.side_by_side import front
from reports.figures.forest import forests
from reports.figures.winner_map import winner_map
from reports.pages.drawn_comparison import draw
from reports.text.closing import closing
from tests.reports import synthetic

MINE = "my_model"
# Time of the loop and of my model, which is a variant of no family that competes, in three cases.
FASTER, SLOWER, EQUAL = (3e6, 1.5e6), (1e6, 3e6), (1e6, 1e6)


def document(cv: float = 0.02, **run: Any) -> dict[str, Any]:
    cells = []
    for n, (loop, mine) in enumerate((FASTER, SLOWER, EQUAL), 1):
        values = {"event_loop": (loop, loop), "thread_pool": (5e6, 5e6), MINE: (mine, 2 * mine)}
        cells += synthetic.measured(values, "fib", {"n": n}, 24, cv, n)
    made = synthetic.run(["event_loop", "thread_pool", MINE], [{"id": "fib", "class": "cpu"}], cells)
    made["run"] |= run
    return made


def analysis(against: str | None = None, **changes: Any) -> Analysis:
    return replace(analyse(parse_run(document(**changes), "x")), focus=Focus(MINE, against))


def test_each_case_says_whether_the_model_in_front_is_ahead_of_its_reference_behind_it_or_not_told_apart() -> None:
    of = analysis("event_loop")
    assert MINE not in of.cases[0].competing
    found = focus.pairings(of, "time")
    assert [pairing.standing for pairing in found] == ["ahead", "behind", "open"]
    assert [pairing.ratio.value for pairing in found if pairing.ratio] == pytest.approx([0.5, 3, 1], rel=0.05)
    assert re.fullmatch(r"2\.0\d× faster \(\d\.\d\d–\d\.\d\d×\)", focus.in_words(found[0]))
    assert re.fullmatch(r"[23]\.\d\d× slower \(\d\.\d\d–\d\.\d\d×\)", focus.in_words(found[1]))
    assert re.fullmatch(r"open \(0\.9\d–1\.0\d×\)", focus.in_words(found[2]))


def test_without_a_reference_it_is_compared_with_the_best_of_the_others_in_each_case() -> None:
    found = focus.pairings(analysis(), "time")
    assert [pairing.reference for pairing in found] == ["event_loop"] * 3
    of = analysis()
    mine = replace(of, focus=Focus("event_loop"))
    assert {pairing.reference for pairing in focus.pairings(mine, "time")} == {
        "thread_pool"
    }, "it is the best itself, so the next of those that compete"


def test_beside_a_verdict_the_ratio_is_that_of_the_verdict() -> None:
    of = replace(analysis(), focus=Focus("thread_pool"))
    for pairing in focus.pairings(of, "time"):
        assert pairing.ratio == pairing.case.verdicts["time"].ratios["thread_pool"]


def test_its_headline_comes_first_by_time_and_by_cpu_with_the_best_and_the_worst_case() -> None:
    time, cpu = focus.headlines(analysis("event_loop"))
    assert time.lead == "my_model against event_loop, by time"
    assert re.fullmatch(
        (
            r"faster in 1 of 3 cases, slower in 1, 1 open; at best 2\.\d\d× faster \([^)]+×\) in fib, n 1; at worst"
            r" [23]\.\d\d× slower \([^)]+×\) in fib, n 2\."
        ),
        time.text,
    )
    assert cpu.text.startswith("cheaper in 0 of 3 cases, dearer in 2, 1 open; at worst ")
    (time, _) = focus.headlines(analysis())
    assert (
        time.lead == "my_model against the best of the others in each case, by time"
        and "faster (" in time.text
        and "than event_loop in fib, n 1" in time.text
    )
    assert focus.headlines(analyse(parse_run(document(), "x"))) == []


def test_the_terminal_gets_one_line_about_it() -> None:
    told = closing(analysis("event_loop"))
    assert (
        told[0]
        == "my_model against event_loop: by time faster in 1 of 3 cases, slower in 1, 1 open; by CPU cost cheaper in 0"
        " of 3 cases, dearer in 2, 1 open"
    )
    assert not any(MINE in line for line in told[1:])


def changed(status: str, **cell: Any) -> list[focus.Pairing]:
    raw = document()
    for one in raw["cells"]:
        if one["model"] == MINE:
            one.update(status=status, samples=[], **cell)
    return list(focus.pairings(replace(analyse(parse_run(raw, "x")), focus=Focus(MINE, "event_loop")), "time"))


def test_a_case_that_it_cannot_do_is_not_counted_and_says_why() -> None:
    found = changed("unsupported", reason="needs can_fork")
    assert {pairing.standing for pairing in found} == {"none"}
    assert focus.counted(found) == "not compared in any case (my_model: not supported)"


def test_what_would_have_taken_too_long_is_behind_by_at_least_so_much() -> None:
    found = changed("projected", projected_ns=30_000_000_000)
    assert [pairing.standing for pairing in found] == ["behind"] * 3
    assert re.fullmatch(r"≥ (9,9|10,0)\d0× slower", focus.in_words(found[0]))


def test_what_was_stopped_early_is_behind_without_an_interval_and_few_rounds_leave_it_open() -> None:
    for rounds, factor, standing in ((3, 4, "behind"), (3, 1, "open")):
        raw = document()
        for one in raw["cells"]:
            if one["model"] == MINE:
                one["samples"] = [
                    sample | {"wall_ns": int(1e6 * factor * sample["iterations"])} for sample in one["samples"][:rounds]
                ]
        of = replace(analyse(parse_run(raw, "x")), focus=Focus(MINE, "event_loop"))
        assert focus.pairings(of, "time")[1].standing == standing


def test_under_load_it_is_not_judged_by_time_and_its_cpu_cost_is_marked() -> None:
    raw = document() | {"noise": {"grade": "D", "noisy_share": 0.9, "warnings": []}}
    time, cpu = focus.headlines(replace(analyse(parse_run(raw, "x")), focus=Focus(MINE)))
    assert time.text.startswith("not compared in any case (too much load")
    assert cpu.lead.endswith("by CPU cost, measured under load") and "dearer" in cpu.text


def test_the_winner_map_has_a_line_of_it_below_each_tile_and_a_column_in_its_table() -> None:
    picture = winner_map(analysis("event_loop"), "time")
    assert "The line below each tile: my_model (M) against event_loop." in picture.svg
    assert (
        len(re.findall(r"▲ 2\.\d\d× faster", picture.svg))
        == len(re.findall(r"▼ [23]\.\d\d× slower", picture.svg))
        == len(re.findall(r"\? 0\.9\d to 1\.0\d×", picture.svg))
        == 1
    )
    assert picture.table.header[-1] == MINE and [row[-1].split()[1] for row in picture.table.rows[:2]] == [
        "faster",
        "slower",
    ]
    assert MINE not in winner_map(analyse(parse_run(document(), "x")), "time").svg


def test_a_forest_has_it_first_and_its_ratio_to_the_reference_below() -> None:
    (picture,) = forests(analysis("event_loop"), "cpu", "time")
    assert picture.svg.count(">against event_loop<") == 1
    names = re.findall(r">(my_model \(M, best\)|event_loop \(E, best\)|thread_pool \(T, best\))<", picture.svg)
    assert names[:3] == ["my_model (M, best)", "event_loop (E, best)", "thread_pool (T, best)"]
    assert ("fib", "n 1", "my_model against event_loop", "–") == picture.table.rows[0][:4]


def test_a_comparison_shows_it_in_its_figure_and_in_its_first_lines(tmp_path: Path) -> None:
    runs = [parse_run(document(), "x"), parse_run(document(), "x")]
    before, after = (replace(analyse(run), focus=Focus(MINE, "event_loop")) for run in runs)
    comparison = compare(*runs)
    told = front(before, after, comparison)
    assert told[0] == "my_model, after against before: better in 0 of 3 cells, worse in 0"
    assert told[1].startswith("before: my_model against event_loop: by time faster in 1 of 3") and told[2].startswith(
        "now: my_model"
    )
    page = draw(before, after, comparison, tmp_path).read_text()
    assert page.count(">my_model (M)<") == 3 and "Yellow: my_model against event_loop." in page
    assert "slower" in page and told[0] in page


def test_a_report_is_drawn_with_the_model_that_the_run_was_made_for_or_with_another(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(document(focus=MINE, against="event_loop")))
    recorded = (tmp_path / "run.json").read_bytes()
    assert reports.build(tmp_path)[0].startswith("my_model against event_loop: ")
    for name in ("index.html", "report.md"):
        text = (tmp_path / name).read_text().replace("\\_", "_")
        assert text.index("my_model against event_loop, by time") < text.index("By time")
    assert reports.build(tmp_path, Focus("thread_pool"))[0].startswith(
        "thread_pool against the best of the others in each case: "
    )
    assert (tmp_path / "run.json").read_bytes() == recorded


def test_a_run_made_for_a_model_that_it_could_not_measure_still_gives_a_report(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(document(focus="gone")))
    assert (
        reports.build(tmp_path)[0]
        == "gone against the best of the others in each case: by time not measured in any case; by CPU cost not"
        " measured in any case"
    )


def test_a_focus_that_is_no_name_breaks_the_file() -> None:
    with pytest.raises(ReadError, match="value of the wrong kind"):
        parse_run(document(focus=7), "x")

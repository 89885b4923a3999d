"""The figures of the second half of a report, the regime map and the limits: what they say of runs whose truth is
known, and what they say where cells are missing."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from reports.analysis.regime import regimes
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, analyse
from reports.cases.phrases import verdict_in_words
from reports.cases.read import ReadError, parse_run
from reports.cases.table import Table
from reports.drawing.chart import Scale, spread
from reports.drawing.panels import Panels
from reports.drawing.placing import Free
from reports.drawing.sheet import Picture
from reports.figures.forest import forests
from reports.figures.regime_map import regime_map
from reports.figures.side_by_side_map import side_by_side_map
from reports.figures.winner_map import winner_map
from reports.pages.gallery import FIGURES, gallery
from reports.pages.sections import figure_sections
from reports.text.limits import limits
from reports.text.reproduce import recipe
from reports.text.samples_csv import samples_csv
from tests.reports import synthetic


def analysed(document: dict[str, Any]) -> Analysis:
    return analyse(parse_run(document, "x"))


@pytest.fixture(scope="module")
def full() -> Analysis:
    return analysed(synthetic.realistic(12))


@pytest.fixture(scope="module")
def small() -> Analysis:
    cells = synthetic.measured({"fibers": (1e6, 1e6), "thread_pool": (2e6, 2e6)}, "fib", {"n": 20}, 8, 0.01, 1)
    return analysed(synthetic.run(["fibers", "thread_pool"], [{"id": "fib", "class": "cpu"}], cells))


def test_each_section_has_a_figure_or_says_why_not(full: Analysis, small: Analysis) -> None:
    drawn = {section.id: bool(section.pictures) for section in figure_sections(full)}
    assert drawn == dict.fromkeys(drawn, True) | {"twins": False, "spreads": False}
    for section in figure_sections(small):
        assert bool(section.pictures) != bool(section.missing)
    missing = {section.id for section in figure_sections(small) if section.missing}
    assert {"throughput", "latency", "memory", "heartbeat", "anatomy"} <= missing


def test_tables_hold_what_the_figures_draw(full: Analysis) -> None:
    tables = {section.id: section.pictures[0].table for section in figure_sections(full) if section.pictures}
    assert all(len(row) == len(table.header) for table in tables.values() for row in table.rows)
    costs = {(row[0].split()[0], row[1]): row[2] for row in tables["anatomy"].rows}
    assert costs["spawn", "event_loop"].endswith("ns")
    latencies = [row for row in tables["latency"].rows if row[2] == "fibers" and row[3] == "intended"]
    assert latencies and all(row[-1] != "0" for row in latencies)


def test_a_regime_map_shows_who_wins_between_the_measured_cases(full: Analysis) -> None:
    few, many = regimes(full, "cpu")
    assert (few.tasks, many.tasks) == (100, 1000)
    assert few.surface and many.surface
    middle = few.surface.behind[:, 40, 40]
    assert few.surface.models[int(middle.argmin())] == "event_loop"  # the least overhead, everywhere
    assert few.places[0].compute_ns == pytest.approx(1.2 * 10_000, rel=0.05)
    picture = regime_map(full, "cpu")
    assert picture and "event_loop" in picture.alt
    assert len(picture.table.rows) >= 8


def test_a_crossing_stands_in_the_regime_map_where_the_winner_changes() -> None:
    cells = []
    for number, (wait_us, steps) in enumerate(((1000, 1000), (1000, 100_000), (10_000, 1000), (10_000, 100_000))):
        body = 1.2 * steps * 100
        times = {
            "event_loop": (wait_us * 1e3 + body, body),
            "thread_pool_wide": (wait_us * 1e3 + body / 2 + 1e6, body * 1.1),
        }
        cells += synthetic.measured(
            times, "mixed", {"tasks": 100, "wait_us": wait_us, "steps": steps, "in_flight": 100}, 24, 0.002, number
        )
    analysis = analysed(synthetic.run(["event_loop", "thread_pool_wide"], [{"id": "mixed", "class": "mixed"}], cells))
    (few,) = regimes(analysis, "time")
    found = [(o.before, o.after, o.line.key) for o, _, _, _ in few.overtakings]
    assert found == [("event_loop", "thread_pool_wide", "steps")] * 2
    crossing = few.overtakings[0][0].crossing
    assert 1000 < crossing.low <= crossing.at <= crossing.high < 100_000
    crossed, uncrossed = regime_map(analysis, "time"), regime_map(analysis, "cpu")
    assert crossed and "Dots with bars" in crossed.svg
    assert uncrossed and "Dots with bars" not in uncrossed.svg and "no line of measured cases" in uncrossed.svg


def test_the_regime_map_is_as_sure_as_the_cases_are() -> None:
    def drawn(cv: float, rounds: int) -> Analysis:
        cells = []
        for number, (wait_us, steps) in enumerate(((1000, 1000), (1000, 100_000), (10_000, 1000), (10_000, 100_000))):
            times = {"event_loop": (2e6, 2e6), "thread_pool_wide": (2.02e6, 2.02e6)}
            cells += synthetic.measured(
                times, "mixed", {"tasks": 100, "wait_us": wait_us, "steps": steps, "in_flight": 100}, rounds, cv, number
            )
        return analysed(synthetic.run(["event_loop", "thread_pool_wide"], [{"id": "mixed", "class": "mixed"}], cells))

    quiet, noisy = regimes(drawn(0.005, 24), "time")[0].surface, regimes(drawn(2.0, 6), "time")[0].surface
    assert quiet and noisy
    assert quiet.regret[quiet.inside].max() < 0.05 and noisy.regret[noisy.inside].min() > 0.15
    picture = regime_map(drawn(2.0, 6), "time")
    assert picture and "open in 4 of 4 cases" in picture.alt and "100 tasks" in picture.alt


def test_at_a_measured_case_the_surface_has_its_safe_choice_and_its_regret(full: Analysis) -> None:
    for regime in regimes(full, "time"):
        surface = regime.surface
        assert surface
        for place in regime.places:
            row, column = abs(surface.ys - place.y).argmin(), abs(surface.xs - place.x).argmin()
            if abs(surface.ys[row] - place.y) > 1e-9 or abs(surface.xs[column] - place.x) > 1e-9:
                continue  # the grid has no point there
            verdict = place.case.verdicts["time"]
            assert surface.models[int(surface.behind[:, row, column].argmin())] == verdict.safe_choice
            assert surface.regret[row, column] == pytest.approx(math.log1p(verdict.regret or 0.0), abs=1e-6)


def test_too_few_cases_of_mixed_make_no_map(small: Analysis) -> None:
    assert regime_map(small, "time") is None


def test_limits_tell_what_was_left_open(full: Analysis) -> None:
    told = " ".join(limits(full))
    for words in (
        "cases are open, ",
        "of them with a safe choice",
        "server-bound",
        "projected",
        "--full measures all",
        "2 cores",
        "loopback",
    ):
        assert words in told
    document = synthetic.realistic(6)
    document["run"] |= {"complete": False}
    document["noise"] |= {"noisy_share": 0.6, "grade": "D"}
    worse = limits(analysed(document))
    assert worse[0].startswith("Anything about what is missing")
    assert "60 %" in worse[1]


def test_a_recipe_repeats_the_run_with_its_seed_in_a_folder_of_its_own() -> None:
    document = synthetic.run([], [], [])
    document["run"]["command_line"] = ["run", "--full", "--out", "mine", "--models", "a b"]
    assert recipe(parse_run(document, "x")).lines == (
        "git checkout 0123456789abcdef0123456789abcdef01234567",
        "scripts/crossover run --full --models 'a b' --seed 7",
    )


def test_the_table_of_samples_has_a_line_for_each(small: Analysis) -> None:
    lines = samples_csv(small.run).splitlines()
    assert len(lines) == 1 + 16
    assert lines[1].startswith('fib,fibers,"{""n"": 20}",ok,0,0,0,3,100,')


def test_two_runs_are_drawn_side_by_side(small: Analysis, full: Analysis) -> None:
    from reports.comparison.compare import compare

    picture = side_by_side_map(small, small, compare(small.run, small.run).changes)
    told = verdict_in_words(small.cases[0].deciding)
    assert told.startswith("fibers wins, ")
    assert picture and picture.table.rows == (
        ("fib/n:20", "time", told, told, "fibers", "1.00×", picture.table.rows[0][-1]),
    )
    assert side_by_side_map(small, full, ()) is None


def test_the_gallery_replaces_its_block_of_the_readme_only(tmp_path: Path) -> None:
    run, root = tmp_path / "run", tmp_path / "root"
    (run / "figures").mkdir(parents=True)
    (root / "docs").mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(synthetic.run([], [], [])))
    (root / "README.md").write_text("before\n<!-- gallery: x -->\nold\n<!-- end of the gallery -->\nafter\n")
    with pytest.raises(ReadError, match="winner-map-time"):
        gallery(run, root)
    for name in FIGURES:
        (run / "figures" / f"{name}.png").write_bytes(name.encode())
    gallery(run, root)
    text = (root / "README.md").read_text()
    assert text.startswith("before\n<!-- gallery: x -->\n") and text.endswith("<!-- end of the gallery -->\nafter\n")
    assert "old" not in text and "A CPU of 2 cores" in text
    for name in FIGURES:
        assert f"](docs/{name}.png)" in text
        assert (root / "docs" / f"{name}.png").read_bytes() == name.encode()


def test_the_readme_has_the_block_that_the_gallery_writes() -> None:
    text = (Path(__file__).resolve().parents[3] / "README.md").read_text()
    assert text.count("<!-- gallery") == text.count("<!-- end of the gallery -->") == 1
    assert "scripts/gallery" in text


def test_names_beside_a_chart_keep_their_distance_and_stay_near() -> None:
    places = spread([1.0, 1.01, 1.02, 3.0], 0.1, 0.0, 4.0)
    assert all(b - a >= 0.0999 for a, b in zip(places, places[1:]))
    assert places[3] == 3.0
    assert abs(places[1] - 1.01) < 0.01
    crowded = spread([0.0] * 9, 0.1, 0.0, 0.4)
    assert crowded[0] >= -1e-9 and crowded[-1] <= 0.4 + 1e-9


def test_labels_beside_points_cover_nothing() -> None:
    free = Free((0, 0, 2, 2))
    for _ in range(2):
        free.point(1.0, 1.0)
    first, second = free.label(1.0, 1.0, 0.2), free.label(1.0, 1.0, 0.2)
    assert first[:2] != second[:2]
    assert not free.centred(1.0, 1.0, 0.1, 0.1)
    assert free.centred(0.3, 0.3, 0.1, 0.1)


@pytest.mark.parametrize(("low", "high"), [(1, 1e6), (0.9, 2.1), (12e3, 27e3), (3, 400)])
def test_an_axis_has_two_to_six_ticks_inside(low: float, high: float) -> None:
    ticks = Scale(low, high).ticks(6)
    assert 2 <= len(ticks) <= 6
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)


def drawn_texts(picture: Picture) -> set[str]:
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", picture.svg))


def test_a_last_row_that_leaves_room_has_the_names_of_the_models_in_it(full: Analysis) -> None:
    styles = model_styles(full.run.models)
    models = ordered(styles)
    heights = {}
    for count in (3, 4):
        sheet = Panels("title", "meaning", count, 1.9, models, styles)
        picture = sheet.picture("panels", "alt", Table((), ()))
        heights[count] = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)', picture.svg)[1]) / 72
        assert set(models) <= drawn_texts(picture)
    band = sheet.chart(3, Scale(1, 2), Scale(1, 2)).top - sheet.chart(0, Scale(1, 2), Scale(1, 2)).top
    assert heights[4] - heights[3] < band - 0.2, "a row more, and no names below"


def test_a_winner_map_names_only_the_models_of_its_tiles(small: Analysis) -> None:
    assert small.cases[0].deciding.best_set == ("fibers",)
    assert drawn_texts(winner_map(small, "time")) & {"fibers", "thread_pool"} == {"fibers"}


def test_throughput_joins_what_was_measured_on_two_sizes_or_competes(full: Analysis) -> None:
    picture = next(section.pictures[0] for section in figure_sections(full) if section.id == "throughput")
    sizes = Counter((row[0], row[2]) for row in picture.table.rows)
    competing = {(case.workload.id, m) for case in full.cases for m in case.competing}
    assert all(count > 1 or line in competing for line, count in sizes.items())


def test_a_heartbeat_is_drawn_by_the_percentile_that_decides(full: Analysis) -> None:
    picture = next(section.pictures[0] for section in figure_sections(full) if section.id == "heartbeat")
    assert "90th percentile" in picture.table.header and "90th percentile" in picture.alt


def test_a_forest_says_where_the_other_side_was_the_limit() -> None:
    limited = synthetic.measured({"fibers": (5e5, 5e5), "thread_pool": (1e6, 1e6)}, "w", {"n": 1}, 8, 0.01, 4)
    free = synthetic.measured({"fibers": (5e5, 5e5), "thread_pool": (1e6, 1e6)}, "w", {"n": 2}, 8, 0.01, 4)
    limited[0].update(status="server_bound", reason="the origin used 98 % of its core")
    (picture,) = forests(
        analysed(synthetic.run(["fibers", "thread_pool"], [{"id": "w", "class": "cpu"}], limited + free)), "cpu", "time"
    )
    assert re.findall(r">([^<]*server-bound)<", picture.svg) == ["n\u00a01 – server-bound"]


def test_forests_fit_on_pages_and_have_every_case_once(full: Analysis) -> None:
    for class_ in full.classes:
        pictures = forests(full, class_, "time")
        assert all(float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)', picture.svg)[1]) / 72 < 16 for picture in pictures)
        drawn = [case for picture in pictures for case in dict.fromkeys((row[0], row[1]) for row in picture.table.rows)]
        assert sorted(drawn) == sorted(
            (case.workload.id, case.label)
            for row in full.rows_of(class_)
            for case in row.cases
            if case.verdicts["time"].ratios
        )

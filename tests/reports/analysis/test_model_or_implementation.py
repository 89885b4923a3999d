"""Model or implementation: on runs where it is known what the family explains and what the implementation does."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reports
from reports.analysis.model_or_implementation import LEAST_CASES, Weighed, sentences, spreads, weighed
from reports.analysis.variance import Value, components
from reports.cases.cases import Analysis, analyse
from reports.cases.read import parse_run
from reports.figures.forest import forests
from reports.figures.model_or_implementation import model_or_implementation
from reports.figures.spreads import textbook_against_best
from reports.figures.throughput import throughput
from reports.pages import stale_figures
from reports.pages.validate import faults
from reports.text import tables, verdicts_json
from tests.reports import synthetic
from vocabulary.files import VERDICTS

PAIRS = {
    "event_loop": "event_loop_tasks",
    "thread_pool": "thread_pool_queue",
    "process_pool": "process_pool_pipe",
    "fibers": "fibers_stock",
}
SINGLE = "tbb_tasks"


def run(
    family: float,
    implementation: float,
    cases: int = 12,
    rounds: int = 6,
    cv: float = 0.02,
    seed: int = 1,
    class_: str = "cpu",
    without: Mapping[int, tuple[str, ...]] | None = None,
    **parts: Any,
) -> dict[str, Any]:
    """Standard deviations of the logarithm. `without`: case → models that it lacks."""
    generator = np.random.default_rng(seed)
    cells = []
    for case in range(cases):
        values = {}
        for best, textbook in PAIRS.items():
            of_family = family * generator.standard_normal()
            values |= {
                model: math.exp(of_family + implementation * generator.standard_normal()) for model in (best, textbook)
            }
        values[SINGLE] = math.exp(family * generator.standard_normal() + implementation * generator.standard_normal())
        shown = {
            model: (1e6 * value, 1e6 * value)
            for model, value in values.items()
            if model not in (without or {}).get(case, ())
        }
        cells += synthetic.measured(shown, "fib", {"n": case + 1}, rounds, cv, seed + case)
    return synthetic.run([*PAIRS, *PAIRS.values(), SINGLE], [{"id": "fib", "class": class_}], cells, **parts)


def analysis_of(document: dict[str, Any]) -> Analysis:
    return analyse(parse_run(document, "x"))


def by_time(document: dict[str, Any]) -> Weighed:
    return next(one for one in weighed(analysis_of(document)) if one.metric == "time")


def test_where_only_the_family_matters_the_model_explains_all() -> None:
    found = by_time(run(0.8, 0.0))
    assert found.answer == "model"
    assert found.shares.between.value > 0.97 and found.shares.within.value < 0.01
    assert "the model matters, the implementation is not shown to (" in sentences([found])[0].text
    (sentence,) = sentences([by_time(run(0.8, 0.2))])
    assert re.search(
        (
            r"^by time the model matters \d+ times as much as the implementation \(model \d\d %, implementation [\d.]+"
            r" % of the variance, 95 % interval of the ratio [\d.]+ to \d+\)"
        ),
        sentence.text,
    )


def test_where_only_the_implementation_matters_it_explains_all() -> None:
    found = by_time(run(0.0, 0.8, cases=20))
    assert found.answer == "implementation"
    assert found.shares.within.value > 0.8
    assert found.shares.ratio.low > 1


def test_two_known_shares_lie_within_their_intervals() -> None:
    within, answers = 0, []
    for seed in range(12):
        found = by_time(run(0.4, 0.8, cases=25, seed=100 * seed))  # 0.64 against 0.16: four times
        within += found.shares.ratio.low <= 4 <= found.shares.ratio.high
        answers.append(found.answer)
    assert within >= 10
    assert set(answers) <= {"implementation", "about as much"} and answers.count("implementation") >= 6


def test_textbooks_that_are_slower_everywhere_make_families_neither_alike_nor_different() -> None:
    def found(family: float) -> Weighed:
        document = run(family, 0.0, cases=8)
        for cell in document["cells"]:
            if cell["model"] in PAIRS.values():
                for sample in cell["samples"]:
                    sample["wall_ns"] *= 4
        return by_time(document)

    assert found(0.0).answer == "implementation" and found(0.0).shares.between.value < 0.01
    alike = math.log(4) ** 2 / 2 / 0.7**2
    assert found(0.7).shares.ratio.low < alike < found(0.7).shares.ratio.high
    assert found(0.7).shares.ratio.value == pytest.approx(alike, rel=0.6)


def test_of_equal_shares_none_is_said_to_matter_more() -> None:
    answers = [by_time(run(0.5, 0.5, seed=100 * seed)).answer for seed in range(12)]
    assert answers.count("about as much") >= 10
    assert "about as much as the model" in sentences([by_time(run(0.5, 0.5))])[0].text


def test_where_nothing_matters_neither_is_named() -> None:
    found = by_time(run(0.0, 0.0, rounds=12))
    assert found.answer == "neither"
    assert "neither the model nor the implementation" in sentences([found])[0].text


def test_noise_of_measuring_is_nobodys() -> None:
    quiet, noisy = by_time(run(0.5, 0.5, cv=0.01)).shares, by_time(run(0.5, 0.5, cv=0.6)).shares
    assert quiet.measuring < 0.01 < noisy.measuring
    assert quiet.between.value + quiet.within.value + quiet.measuring == pytest.approx(1)


@pytest.mark.parametrize("slower", [0.0, 0.5])
def test_the_components_are_right_on_average_with_unequal_numbers_in_every_family(slower: float) -> None:
    """`slower`: textbooks everywhere, in the logarithm. Of two kinds the variance is then half of its square, beside
    what differs from family to family."""
    generator = np.random.default_rng(7)
    own = math.sqrt(0.36 - slower**2 / 2)
    blocks = []
    for _ in range(4000):
        block = []
        level = 5 * generator.standard_normal()
        for kinds in (("best",), ("best", "textbook"), ("best", "textbook"), ("best", "textbook"), ("library",))[
            generator.integers(0, 2) :
        ]:
            family = level + 0.3 * generator.standard_normal()
            values = {
                kind: family + slower * (kind == "textbook") + own * generator.standard_normal() for kind in kinds
            }
            block.append(
                {kind: Value(value + 0.2 * generator.standard_normal(), 0.04) for kind, value in values.items()}
            )
        blocks.append(block)
    found = components(blocks)
    everything = 0.09 + 0.36 + 0.04
    assert found.between.value == pytest.approx(0.09 / everything, abs=0.02)
    assert found.within.value == pytest.approx(0.36 / everything, abs=0.02)
    assert found.measuring == pytest.approx(0.04 / everything, abs=0.005)
    assert found.ratio.low < 4 < found.ratio.high


def test_the_spread_of_a_case_is_within_each_family_and_between_the_families_best() -> None:
    values = {"event_loop": 4.0, "event_loop_tasks": 6.0, "thread_pool": 1.0, "thread_pool_queue": 9.0, "fibers": 2.0}
    cells = synthetic.measured(
        {model: (1e6 * value, 1e6) for model, value in values.items()}, "fib", {"n": 1}, 6, 0.001, 1
    )
    (spread,) = spreads(analysis_of(synthetic.run(list(values), [{"id": "fib", "class": "cpu"}], cells)), "cpu", "time")
    assert spread.within == pytest.approx({"event_loop": 1.5, "threads": 9.0}, rel=0.02)
    assert spread.between == pytest.approx(4.0, rel=0.02)


def test_a_variant_is_compared_within_the_rounds_that_it_shares() -> None:
    """Later rounds are twice as slow for all."""
    values = {
        "event_loop": (1e6, 1e6),
        "thread_pool": (1e6, 1e6),
        "thread_pool_queue": (3e6, 1e6),
        "event_loop_tasks": (1e6, 1e6),
    }
    cells = synthetic.measured(values, "fib", {"n": 1}, 9, 0.001, 1)
    for cell in cells:
        for sample in cell["samples"]:
            sample["wall_ns"] *= 2 if sample["round"] >= 6 else 1
        first, last = {"event_loop": (0, 9), "thread_pool": (0, 6)}.get(cell["model"], (6, 9))
        cell["samples"] = cell["samples"][first:last]
    (spread,) = spreads(analysis_of(synthetic.run(list(values), [{"id": "fib", "class": "cpu"}], cells)), "cpu", "time")
    assert spread.within == pytest.approx({"event_loop": 1.0, "threads": 3.0}, rel=0.02)


def test_sizes_of_a_pool_serial_and_peers_are_no_implementations() -> None:
    values = {
        "event_loop": 1,
        "event_loop_tasks": 2,
        "event_loop_uring": 9,
        "thread_pool": 1,
        "thread_pool_queue": 2,
        "thread_pool_wide": 50,
        "serial": 90,
        "asio": 70,
    }
    cells = synthetic.measured(
        {model: (1e6 * value, 1e6) for model, value in values.items()}, "fib", {"n": 1}, 6, 0.001, 1
    )
    (spread,) = spreads(analysis_of(synthetic.run(list(values), [{"id": "fib", "class": "cpu"}], cells)), "cpu", "time")
    assert spread.models == {
        "event_loop": {"best": "event_loop", "textbook": "event_loop_tasks"},
        "threads": {"best": "thread_pool", "textbook": "thread_pool_queue"},
    }


def test_cases_that_lack_models_count_with_what_they_have() -> None:
    missing = {
        0: ("process_pool_pipe", SINGLE),
        1: ("fibers_stock", "fibers"),
        2: ("thread_pool_queue", "process_pool_pipe", "fibers_stock"),
    }
    found = by_time(run(0.8, 0.2, cases=10, without=missing))
    assert len(found.spreads) == 9, "the third has one pair only"
    assert found.answer == "model"
    assert found.shares.ratio.low <= 1 / 16 <= found.shares.ratio.high


@pytest.mark.parametrize("lacking", [PAIRS.values(), list(PAIRS.values())[1:]])
def test_with_too_few_families_nothing_is_said_and_nothing_drawn(lacking: Any) -> None:
    analysis = analysis_of(run(0.5, 0.5, without={case: tuple(lacking) for case in range(12)}))
    assert weighed(analysis) == ()
    assert model_or_implementation(()) is None and textbook_against_best(analysis) is None


def test_with_too_few_cases_nothing_is_said_but_each_is_drawn() -> None:
    analysis = analysis_of(run(0.5, 0.5, cases=LEAST_CASES - 1))
    assert weighed(analysis) == ()
    picture = textbook_against_best(analysis)
    assert picture is not None and picture.svg.count("fib, n\u00a0") + picture.svg.count("fib, n ") >= LEAST_CASES - 1


def test_an_older_run_says_nothing_and_has_its_report(tmp_path: Path) -> None:
    document = run(0.5, 0.5)
    for model in document["models"]:
        del model["engineering"]
    analysis = analysis_of(document)
    assert weighed(analysis) == () and textbook_against_best(analysis) is None
    assert verdicts_json.verdicts(analysis)["model_or_implementation"] == []


def test_a_family_whose_representative_has_too_few_rounds_does_not_count() -> None:
    document = run(0.0, 0.5, cases=LEAST_CASES)
    for cell in document["cells"]:
        if cell["model"] == "fibers":
            cell["samples"] = cell["samples"][:2]
    assert by_time(document).families == ("event_loop", "threads", "processes")
    assert all("fibers" not in spread.values for spread in by_time(document).spreads)


def test_what_failed_or_was_projected_does_not_count() -> None:
    document = run(0.0, 0.0, cases=LEAST_CASES)
    for cell in document["cells"]:
        if cell["model"] == "thread_pool_queue":
            cell.update(status="wrong", reason="item 7 ran twice")
        if cell["model"] == "fibers_stock":
            cell.update(status="projected", projected_ns=10**12, samples=[])
    assert by_time(document).families == ("event_loop", "processes")


def test_waits_of_few_and_of_many_are_weighed_apart_where_both_have_cases_enough() -> None:
    def waits(few: int, many: int) -> list[str]:
        cells = []
        for case in range(few + many):
            values = {
                "event_loop": (1e6, 1e6),
                "event_loop_tasks": (2e6, 1e6),
                "fibers": (3e6, 1e6),
                "fibers_stock": (9e6, 1e6),
            }
            cells += synthetic.measured(
                values, "sleepers", {"tasks": 10 + case if case < few else 1000 + case}, 6, 0.01, case
            )
        document = synthetic.run(
            ["event_loop", "event_loop_tasks", "fibers", "fibers_stock"], [{"id": "sleepers", "class": "io"}], cells
        )
        return [one.work for one in weighed(analysis_of(document)) if one.metric == "time"]

    assert waits(5, 6) == ["I/O-bound work, up to 100 at once", "I/O-bound work, more at once"]
    assert waits(2, 6) == ["I/O-bound work"]


def test_the_sentence_stands_after_the_maps_and_the_figures_in_both_pages(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(run(0.8, 0.1, cases=6)))
    reports.build(tmp_path)
    for name in ("index.html", "report.md"):
        text = (tmp_path / name).read_text()
        places = [
            text.index(words)
            for words in (
                "winner-map-cpu",
                "Model or implementation?",
                "the model matters",
                "Which model should I use?",
                "textbook-against-best",
            )
        ]
        assert places == sorted(places), name
    stale_figures.remove(tmp_path / "figures", ())
    assert not list((tmp_path / "figures").iterdir()), "every figure is known as one of a report's"
    assert faults(tmp_path) == []
    (entry, *_) = json.loads((tmp_path / VERDICTS).read_text())["model_or_implementation"]
    assert (entry["class"], entry["metric"], entry["matters_more"], len(entry["cases"])) == ("cpu", "time", "model", 6)


def test_beside_every_model_stands_whose_work_it_is() -> None:
    analysis = analysis_of(run(0.5, 0.1, cases=1))
    assert {(row[1], row[3]) for row in tables.models(analysis).rows} >= {
        ("thread_pool", "best"),
        ("thread_pool_queue", "textbook"),
        ("tbb_tasks", "library"),
    }
    assert {"thread_pool (best)", "thread_pool_queue (textbook)"} <= {
        row[0] for row in tables.results(analysis.cases[0], analysis.run).rows
    }
    (picture,) = forests(analysis, "cpu", "time")
    assert "thread_pool_queue (Tq, textbook)" in picture.svg
    assert "textbook" in (throughput(analysis_of(run(0.5, 0.1, cases=3))) or picture).svg


def test_the_figure_has_a_bar_for_each_kind_of_work_and_metric() -> None:
    found = weighed(analysis_of(run(0.8, 0.1)))
    picture = model_or_implementation(found)
    assert picture is not None
    assert [row[:2] for row in picture.table.rows] == [("CPU-bound work", "time"), ("CPU-bound work", "CPU cost")]


def test_the_same_run_gives_the_same_intervals() -> None:
    assert [one.shares for one in weighed(analysis_of(run(0.5, 0.5)))] == [
        one.shares for one in weighed(analysis_of(run(0.5, 0.5)))
    ]

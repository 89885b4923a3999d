"""What the suite costs: each model beside its native twin, in a section of its own and nowhere else."""

from __future__ import annotations

from typing import Any

from reports.analysis.native import pairs
from reports.cases.cases import Analysis, analyse
from reports.cases.read import parse_run
from reports.cases.table import Table
from reports.pages.sections import figure_sections
from reports.text.tables import models, troubles
from tests.reports import synthetic

NO_TWIN = "std::thread has no tasks that fork and join"


def analysed(cost: float, rounds: int = 24, **native: Any) -> Analysis:
    """fib on two models: tbb_tasks costs `cost` times its native twin, which would win; the other has no twin."""
    values = {"tbb_tasks": (2e6 * cost, 2e6 * cost), "thread_pool": (3e6, 3e6), "native_tbb_tasks": (2e6, 2e6)}
    cells = synthetic.measured(values, "fib", {"n": 20}, rounds, 0.01, 1)
    cells[-1].update(native)
    cells.append(synthetic.cell("native_thread_pool", "fib", {"n": 20}, status="unsupported", reason=NO_TWIN))
    raw = synthetic.run([*values, "native_thread_pool"], [{"id": "fib", "class": "cpu"}], cells)
    for model in raw["models"]:
        if model["id"].startswith("native_"):
            model |= {"family": "native", "native_of": model["id"].removeprefix("native_"), "engineering": "library"}
    return analyse(parse_run(raw, "x"))


def table(analysis: Analysis) -> Table:
    (section,) = (section for section in figure_sections(analysis) if section.id == "twins")
    return section.pictures[0].table


def test_a_model_stands_beside_its_native_twin_with_the_cost_its_interval_and_the_aim() -> None:
    for cost, verdict in ((1.0, "kept"), (1.2, "missed")):
        analysis = analysed(cost)
        pair = pairs(analysis.run)[0]
        assert (pair.model, pair.rounds, pair.verdict) == ("tbb_tasks", 24, verdict)
        assert pair.cpu and pair.time and abs(pair.cpu.value / cost - 1) < 0.02
        row = table(analysis).rows[0]
        assert row[:3] == ("fib", "n 20", "tbb_tasks") and row[3].startswith(f"{cost:.2f}") and row[-1] == verdict


def test_a_model_without_a_twin_stands_there_with_the_reason() -> None:
    assert table(analysed(1.0)).rows[-1][2:] == ("thread_pool", "–", "–", "–", "–", "–", f"no twin: {NO_TWIN}")


def test_a_twin_with_too_few_rounds_or_none_gives_no_ratio_and_says_why() -> None:
    assert pairs(analysed(1.0, rounds=3).run)[0].verdict == "3 rounds are too few"
    crashed = analysed(1.0, status="crashed", reason="signal 11")
    assert pairs(crashed.run)[0].verdict == "twin: crashed: signal 11"
    assert ("fib", "n 20", "native_tbb_tasks", "crashed", "signal 11") in troubles(crashed).rows


def test_a_twin_without_its_model_says_that_the_model_was_not_measured() -> None:
    raw = synthetic.run(
        ["native_asio"],
        [{"id": "fib", "class": "cpu"}],
        synthetic.measured({"native_asio": (1e6, 1e6)}, "fib", {"n": 20}, 12, 0.01, 1),
    )
    raw["models"][0] |= {"family": "native", "native_of": "asio"}
    assert pairs(parse_run(raw, "x"))[0].verdict == "asio was not measured"


def test_native_twins_stand_outside_the_verdicts_and_among_the_models() -> None:
    analysis = analysed(1.2)
    (case,) = analysis.cases
    assert set(case.cells) == {"tbb_tasks", "thread_pool"}
    assert case.verdicts["time"].best_set == case.verdicts["cpu"].best_set == ("tbb_tasks",), "the twin would have won"
    assert not any("native" in name for verdict in case.verdicts.values() for name in verdict.ratios)
    listed = {row[1]: (row[0], row[2]) for row in models(analysis).rows}
    assert listed["native_tbb_tasks"] == ("–", "native") and listed["tbb_tasks"][0] == "B"

"""METG(50 %), on models whose cost per task is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reports.analysis.granularity import metgs, table
from reports.cases.cases import Row, analyse
from reports.cases.read import parse_run
from reports.pages.building import build
from tests.reports import synthetic

STEP_NS = 1.25
SIZES = {0: 10_000, 100: 10_000, 1_000: 10_000, 10_000: 1_000, 100_000: 100}  # steps: tasks


def document(costs: dict[str, tuple[float, int]], sizes: dict[int, int]) -> dict[str, Any]:
    """`costs`: model → (ns to hand out a task, cores that it uses)."""
    cells = []
    for steps, tasks in sizes.items():
        times = {model: tasks * (cost + steps * STEP_NS) / cores for model, (cost, cores) in costs.items()}
        cells += synthetic.measured(
            {m: (t, t) for m, t in times.items()}, "granularity", {"tasks": tasks, "steps": steps}, 6, 0.0, 1
        )
    return synthetic.run(list(costs), [{"id": "granularity", "class": "cpu"}], cells)


def row(costs: dict[str, tuple[float, int]], sizes: dict[int, int] | None = None) -> Row:
    return analyse(parse_run(document(costs, sizes or SIZES), "x")).rows[0]


def test_it_is_the_body_that_takes_as_long_as_handing_it_out() -> None:
    found = {m.model: m for m in metgs(row({"serial": (1, 1), "thread_pool": (500, 2), "tbb_tasks": (3000, 2)}), 2)}
    assert found["thread_pool"].body_ns == pytest.approx(500, rel=0.15)
    assert (found["thread_pool"].above_ns, found["thread_pool"].below_ns) == (
        pytest.approx(125, rel=0.01),
        pytest.approx(1250, rel=0.01),
    )
    assert found["tbb_tasks"].body_ns == pytest.approx(3000, rel=0.15)
    assert found["thread_pool"].most == pytest.approx(1, rel=0.02)


def test_a_model_on_one_of_three_cores_is_compared_with_its_own_best_and_its_share_is_told() -> None:
    found = {m.model: m for m in metgs(row({"serial": (1, 1), "event_loop": (500, 1), "thread_pool": (500, 3)}), 3)}
    assert found["event_loop"].body_ns == pytest.approx(found["thread_pool"].body_ns, rel=0.01)
    assert (found["event_loop"].most, found["thread_pool"].most) == (
        pytest.approx(1 / 3, rel=0.01),
        pytest.approx(1, rel=0.01),
    )


def test_half_with_the_smallest_body_already_is_a_bound_and_no_number() -> None:
    rows = {r[0]: r[1:] for r in table(row({"serial": (1, 1), "thread_pool": (20, 2), "tbb_tasks": (400, 2)}), 2).rows}
    assert rows["thread_pool"] == ("at most 125 ns", "no smaller one", "100 %")
    assert rows["tbb_tasks"][1] == "125 ns to 1.25 µs"


def test_without_serial_without_a_second_size_and_without_cores_nothing_is_said() -> None:
    assert metgs(row({"thread_pool": (20, 2)}), 2) == []
    assert metgs(row({"serial": (1, 1)}, {1_000: 10_000}), 2) == []
    assert metgs(row({"serial": (1, 1)}), None) == []


def test_the_report_shows_it_beside_the_measurements(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(document({"serial": (1, 1), "thread_pool": (500, 2)}, SIZES)))
    build(tmp_path)
    for name in ("index.html", "report.md"):
        assert "METG(50 %)" in (tmp_path / name).read_text()

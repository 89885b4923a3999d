"""The A/A control: the same program a second time, measured in the same rounds, told apart in the result."""

from __future__ import annotations

import json

import jsonschema
import pytest
from reports.analysis.aa_control import aa_pairs
from reports.cases.read import read_run
from verdicts import aa_control

from driver.prepare.aa_control import floor, aa_controls_of
from driver.session.cells import Case, Cell
from tests.driver.conftest import ROOT, Benches
from vocabulary.looks import LEAST_ROUNDS


def cell(model: str, workload: str, units: int, kind: str = "cpu") -> Cell:
    return Cell(
        Case(f"{workload}/n:{units}", workload, {"n": units}, kind, "?", "time", "items"),
        model,
        units,
        units,
        None,
        "",
        0,
        ("quick",),
    )


def test_the_smallest_case_of_each_class_has_twins_of_two_models() -> None:
    cells = [
        cell(model, workload, units)
        for model in ("event_loop", "thread_pool", "fibers")
        for workload in ("a", "b")
        for units in (20, 10)
    ]
    assert sorted(twin.id for twin in aa_controls_of(cells, 2)) == [
        "a/model:event_loop_twin/n:10",
        "a/model:thread_pool_twin/n:10",
    ]


def test_a_twin_shares_no_sample_with_its_model() -> None:
    (twin,) = aa_controls_of([cell("event_loop", "a", 1)], 2)
    twin.state.samples.append({})
    assert aa_controls_of([cell("event_loop", "a", 1)], 2)[0].state.samples == []


def test_the_floor_is_the_middle_of_the_differences_seen_between_twins() -> None:
    cells = [cell(model, workload, 1) for model in ("event_loop", "event_loop_twin") for workload in ("a", "b")]
    for one, wall, cpu in zip(cells, (100, 100, 104, 90), (50, 50, 50, 60)):  # two of event_loop, then its twins
        one.state.samples = [
            {
                "round": number,
                "process": 0,
                "position": 0,
                "start_ns": 0,
                "wall_ns": 3 * wall * (number + 1),
                "cpu_user_ns": 2 * cpu,
                "cpu_sys_ns": cpu,
                "iterations": 3,
            }
            for number in range(LEAST_ROUNDS)
        ]
    assert floor(cells) == pytest.approx(
        (0.04 + 1 / 9) / 2
    ), "a: 4 % in time, none in CPU; b: a ninth in time, a fifth in CPU"
    cells[3].state.status = "wrong"
    assert floor(cells) == pytest.approx(0.02), "what failed is compared with nothing"
    assert floor(cells[:2]) is None
    for one in cells:
        one.state.samples.pop()
    assert floor(cells) is None, "what was stopped early is no evidence"


def test_twins_run_in_a_process_of_their_own_and_stand_in_the_result(benches: Benches) -> None:
    benches.add("event_loop")
    benches.add("other")
    result = benches.run()
    assert result.code == 0, result.err
    schema = json.loads((ROOT / "reports/schema/run-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(result.run)
    models = {model["id"]: model for model in result.run["models"]}
    assert {id: model["twin_of"] for id, model in models.items()} == {
        "event_loop": None,
        "other": None,
        "event_loop_twin": "event_loop",
    }
    own, twins = (
        [cell for cell in result.run["cells"] if cell["model"] == model] for model in ("event_loop", "event_loop_twin")
    )
    assert [cell["workload"] for cell in twins] == ["spin", "wait"]  # of different classes
    assert models["event_loop_twin"]["starts"] == len(
        {sample["process"] for cell in twins for sample in cell["samples"]}
    )
    for twin, cell in zip(twins, own):  # it is looked at whenever its original is
        assert [sample["round"] for sample in twin["samples"]] == [sample["round"] for sample in cell["samples"]][
            : len(twin["samples"])
        ]
        assert len(twin["samples"]) == len(cell["samples"]) - 2, "two more rounds at the end ask about models"
    assert result.run["noise"]["aa_floor"] == 0, "their doubles claim the same times"


def test_the_report_shows_the_floor_that_the_run_has_recorded(benches: Benches) -> None:
    benches.add("event_loop")
    result = benches.run("--workloads", "spin")
    run = result.run
    for one in run["cells"]:
        for sample in one["samples"]:
            sample["cpu_sys_ns"] += sample["round"] * (1 + one["model"].endswith("twin")) * 10_000
    (result.folder / "run.json").write_text(json.dumps(run))
    cells = [cell(one["model"], "spin", 1) for one in run["cells"]]
    for mine, one in zip(cells, run["cells"]):
        mine.state.samples = one["samples"]
    shown = aa_control.floor(pair.deviation for pair in aa_pairs(read_run(result.folder)))
    assert shown is not None and 0 < shown < 0.05
    assert floor(cells) == pytest.approx(shown)

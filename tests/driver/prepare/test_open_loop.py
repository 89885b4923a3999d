"""An open loop is paced by what the models were measured to serve in the same run."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from tests.driver.conftest import ROOT, Benches

PACED = {
    "params": {"tasks": 10, "rate_per_s": 5000},
    "paced_by": "rate_per_s",
    "metric": "latency",
    "bound_ns": 1_800_000,
}


def cells_of(run: dict[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
    return {(cell["model"], cell["params"]["load_percent"]): cell for cell in run["cells"]}


def test_the_slowest_model_that_competes_sets_the_pace_of_all(benches: Benches) -> None:
    benches.add("fast", cells={"wait": PACED})
    benches.add("slow", cells={"wait": PACED}, unit_ns=200_000)
    benches.add("serial", cells={"wait": PACED}, unit_ns=2_000_000, family="serial")
    result = benches.run("--workloads", "wait", "--time-budget", "10m")  # the doubles only claim to take that long
    assert result.code == 0, result.err
    jsonschema.Draft202012Validator(json.loads((ROOT / "reports/schema/run-1.schema.json").read_text())).validate(
        result.run
    )
    cells = cells_of(result.run)
    saturation = {model: cells[model, 50]["saturation_per_s"] for model in ("fast", "slow", "serial")}
    assert (
        9_000 < saturation["fast"] <= 10_000
        and 4_500 < saturation["slow"] <= 5_000
        and 450 < saturation["serial"] <= 500
    )
    for load in (50, 70, 90):
        assert {cells[model, load]["offered_per_s"] for model in saturation} == {saturation["slow"] * load // 100}
        one = cells["fast", load]
        assert one["case"] == f"wait/tasks:10/load_percent:{load}"
        assert one["bound_ns"] == 1_800_000 * 5000 // one["offered_per_s"]
        assert [sample["round"] for sample in one["samples"]] == list(range(result.visits[one["case"]]))
        assert one["iterations"] * one["units"] >= 1000
        assert sum(count for _, count in one["samples"][0]["latency"]["intended"]) == one["iterations"] * one["units"]


def test_a_resumed_run_keeps_the_arrival_rate(benches: Benches) -> None:
    benches.add("odd", cells={"wait": PACED}, sleep_s=0.01)
    result = benches.run("--workloads", "wait", "--time-budget", "10s")
    before = {load: cells_of(result.run)["odd", load]["offered_per_s"] for load in (50, 70, 90)}
    again = benches.drive("run", "--resume", str(result.folder), "--time-budget", "2m")
    assert again.code == 0, again.err
    assert {load: cells_of(again.run)["odd", load]["offered_per_s"] for load in (50, 70, 90)} == before
    journal = (result.folder / "samples.jsonl").read_text()
    assert journal.count('"event":"saturation"') == 3


def test_a_model_that_fails_when_saturated_does_not_keep_the_others_from_being_measured(benches: Benches) -> None:
    benches.add("odd", cells={"wait": PACED}, fault={"do": "sample", "workload": "wait", "kind": "crash"})
    benches.add("even", cells={"wait": PACED})
    result = benches.run("--workloads", "wait")
    assert result.code == 4
    cells = cells_of(result.run)
    assert {cells["odd", load]["status"] for load in (50, 70, 90)} == {"crashed"}
    assert {failure["during"] for failure in cells["odd", 50]["failures"]} == {"saturation"}
    assert {cells["even", load]["status"] for load in (50, 70, 90)} == {"ok"}

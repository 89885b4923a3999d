"""What stands beside a model: servers that all models share, processes that a cell has for itself, and what is kept of
a sample."""

from __future__ import annotations

import json

import jsonschema
import pytest

from driver.session.cells import Case, Cell
from driver.session.checks import wrong_sample
from driver.session.preset import QUICK
from driver.session.protocol import fault_of_answer
from tests.driver.conftest import ROOT, Benches
from vocabulary.looks import LEAST_ROUNDS

LATENCY = {"intended": [[48127, 12], [50175, 27]], "service": [[31743, 39]]}


def fault_of(**more: object) -> str:
    cell = Cell(Case("w/n:1", "w", {"n": 1}, "io", "?", "time", "items"), "m", 1, 1, None, "", 0, ("quick",))
    sample = {
        "outcome": "ok",
        "iterations": 1,
        "units": 1,
        "start_ns": 1,
        "wall_ns": 1,
        "cpu_user_ns": 1,
        "cpu_sys_ns": 0,
        "checksum": "x",
    }
    return fault_of_answer("sample", {**sample, **more}) or wrong_sample(cell, 1, {**sample, **more})


def test_latencies_and_notes_of_the_protocol_are_believed() -> None:
    assert fault_of(latency=LATENCY, notes={"wasted": 11}) == ""


@pytest.mark.parametrize(
    "latency",
    [
        [],
        {"intended": []},
        {"intended": [[1, 2], [1, 3]], "service": []},
        {"intended": [[1]], "service": []},
        {"intended": [[1, 0.5]], "service": []},
    ],
)
def test_latencies_of_another_shape_are_not(latency: object) -> None:
    fault = fault_of(latency=latency)
    assert "latenc" in fault and "\n" not in fault


@pytest.mark.parametrize("notes", [[], {"wasted": -1}, {"wasted": "many"}])
def test_notes_that_are_no_counts_are_not(notes: object) -> None:
    assert "note" in fault_of(notes=notes)


def test_latencies_notes_and_the_generators_share_stand_in_the_result(benches: Benches) -> None:
    benches.add("odd", more={"latency": LATENCY, "notes": {"wasted": 11}, "load_cpu_ns": 5})
    result = benches.run("--workloads", "spin")
    assert result.code == 0, result.err
    jsonschema.Draft202012Validator(json.loads((ROOT / "reports/schema/run-1.schema.json").read_text())).validate(
        result.run
    )
    (cell,) = result.run["cells"]
    assert [cell["samples"][5][key] for key in ("latency", "notes", "load_cpu_ns")] == [LATENCY, {"wasted": 11}, 5]


def test_a_generator_that_is_the_limit_takes_the_verdict(benches: Benches) -> None:
    benches.add("odd", more={"load_cpu_ns": 50_000_000})
    (cell,) = benches.run("--workloads", "spin").run["cells"]
    assert cell["status"] == "server_bound"
    assert "load generator" in cell["reason"]


def test_each_sample_of_a_cell_that_wants_a_fresh_process_has_one_and_passes_no_gate_there(benches: Benches) -> None:
    benches.add("odd", cells={"wait": {"fresh_process": True}})
    result = benches.run("--time-budget", "10m")  # a busy machine starts processes slowly
    assert result.code == 0, result.err
    spin, wait = result.run["cells"]
    fresh = [sample["process"] for sample in wait["samples"]]
    assert len(set(fresh)) == len(fresh) == LEAST_ROUNDS and not set(fresh) & {
        sample["process"] for sample in spin["samples"]
    }
    assert (wait["iterations"], wait["account"]["executions"]) == (1, 10)
    journal = [json.loads(line) for line in (result.folder / "samples.jsonl").read_text().splitlines()]
    # one for each cell, none for a process that takes a sample
    assert sum(event["event"] == "gate" for event in journal) == 2
    (model,) = result.run["models"]
    # for the other cell, renewed twice; the gate, the calibration, the samples
    assert model["starts"] == LEAST_ROUNDS // QUICK.first_of_a_process + 1 + 1 + LEAST_ROUNDS


def test_a_server_of_each_kind_serves_all_models(benches: Benches) -> None:
    benches.add_server("origin", "http://127.0.0.1:12345")
    benches.add_server("load", "http://127.0.0.1:23456")
    benches.add("odd")
    result = benches.run("--workloads", "spin")
    journal = [json.loads(line) for line in (result.folder / "samples.jsonl").read_text().splitlines()]
    (options,) = [event["hello"]["options"] for event in journal if event["event"] == "model"]
    assert options == [
        "--serve",
        "--origin",
        "http://127.0.0.1:12345",
        "--load",
        "http://127.0.0.1:23456",
        "--cores",
        str(result.run["run"]["cores"]),
    ]


def test_what_is_too_long_for_what_is_done_around_it_is_projected_and_says_so(benches: Benches) -> None:
    benches.add(
        "odd", sleep_s=0.4, unit_ns=1_000_000, cells={"wait": {"status": "unsupported", "reason": "cannot wait"}}
    )
    (cell,) = (cell for cell in benches.run("--time-budget", "4s").run["cells"] if cell["workload"] == "spin")
    assert cell["status"] == "projected"
    assert "with what is done around it" in cell["reason"]
    assert cell["projected_ns"] < 20_000_000

"""Whatever a bench process does, the cell gets its outcome, the rest is measured, and the exit code tells."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.driver.conftest import ROOT, Benches, Result

SPIN, WAIT = "spin/model:odd/tasks:10/delay_us:5", "wait/model:odd/tasks:10/delay_us:5"


def check_rest(result: Result, *bad: str) -> None:
    """All cells but the bad ones are whole, and the file keeps to its schema."""
    schema = json.loads((ROOT / "reports/schema/run-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(result.run)
    for name, cell in result.cells.items():
        if name not in bad:
            assert cell["status"] == "ok", (name, cell["reason"])
            assert len(cell["samples"]) == 24


def test_two_tiny_cells_are_measured_to_the_end(benches: Benches) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.run("--workloads", "spin")
    assert (result.code, result.out.strip()) == (0, str(result.folder / "index.html"))
    assert (result.folder / "index.html").read_text() == "drawn"
    check_rest(result)
    run = result.run
    assert [run["run"][key] for key in ("complete", "stop_reason", "seed", "mode", "rounds_done")] == [True, "all rounds done", 1, "quick", 24]
    assert {cell["iterations"] for cell in run["cells"]} == {11}  # 12 ms of 10 items of 0.1 ms, 8 % jitter
    assert len(run["visits"]) == 24


def test_the_bound_that_processes_measure_is_the_shortest_of_its_case(benches: Benches) -> None:
    for model, bare_ns in (("one", 700), ("two", 300), ("three", 500)):
        benches.add(model, bare_ns=bare_ns)
    benches.add("knows_none", cells={"spin": {"bound": "a bare call for each"}}, bare_ns=None)
    result = benches.run("--workloads", "spin")
    assert result.code == 0, result.err
    assert {cell["bound_ns"] for cell in result.cells.values()} == {300}


def test_full_spreads_more_rounds_over_three_processes_of_each_model(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run("--full", "--workloads", "spin")
    assert result.code == 0
    samples = result.cells[SPIN]["samples"]
    assert [sample["round"] for sample in samples] == list(range(36))
    assert [sample["process"] for sample in samples] == [0] * 12 + [1] * 12 + [2] * 12
    assert result.run["run"]["processes"] == 3


FAILURES = [
    ("crash", "crashed", "killed by SIGSEGV; it said: library was built as DEBUG"),
    ("exit", "crashed", "ended with exit code 1; it said: the pool could not be built"),
    ("half_a_line", "crashed", "ended with exit code 0"),
    ("hang", "timed_out", "no answer within 1.5 s"),
    ("hang_deaf", "timed_out", "no answer within 1.5 s"),
    ("garbage", "failed", "answered what is not JSON: 'Segmentation violation, maybe'"),
    ("nan", "failed", "answered what is not JSON"),
    ("no_outcome", "failed", "answered no outcome"),
    ("wrong", "wrong", "item 7 ran twice"),
    ("units", "wrong", "items were done"),
    ("negative", "wrong", "a sample without a whole, positive cpu_user_ns"),
]


@pytest.mark.parametrize(("kind", "status", "reason"), FAILURES)
def test_a_cell_that_always_fails_is_tried_twice(benches: Benches, kind: str, status: str, reason: str) -> None:
    benches.grace_s = 1.5 if "hang" in kind else benches.grace_s
    benches.add("odd", fault={"do": "sample", "workload": "spin", "kind": kind})
    benches.add("even")
    result = benches.run()
    assert result.code == 4
    cell = result.cells[SPIN]
    assert cell["status"] == status
    assert reason in cell["reason"]
    assert [failure["during"] for failure in cell["failures"]] == ["calibration", "calibration"]
    assert cell["samples"] == []
    check_rest(result, SPIN)
    assert f"{SPIN}: {status.replace('_', ' ')}: " in result.err
    assert {model["id"]: model["starts"] for model in result.run["models"]} == {"odd": 3, "even": 1}


@pytest.mark.parametrize(("kind", "status"), [("crash", "crashed"), ("hang", "timed_out"), ("wrong", "wrong"), ("twice", "failed")])
def test_a_failure_amid_the_rounds_keeps_the_samples_before_and_after_it(benches: Benches, kind: str, status: str) -> None:
    benches.grace_s = 1.5 if "hang" in kind else benches.grace_s
    benches.add("odd", fault={"do": "sample", "workload": "wait", "kind": kind, "skip": 9, "times": 1})
    benches.add("even")
    result = benches.run()
    assert result.code == 4
    failed = [cell for cell in result.cells.values() if cell["status"] != "ok"]
    assert [cell["status"] for cell in failed] == [status]
    # An unasked second answer shows at the next request, which may be one of another cell.
    assert failed[0]["model"] == "odd"
    assert len(failed[0]["failures"]) == 1 and failed[0]["failures"][0]["during"] == "round"
    assert [sample["round"] for sample in failed[0]["samples"]] == list(range(24))
    assert {sample["process"] for sample in failed[0]["samples"]} == {0, 1}


@pytest.mark.parametrize(("do", "kind", "claim"), [("sample", "checksum", "checksum is bad"), ("gate", "executions", "executions is 1")])
def test_the_model_that_claims_other_work_than_most_is_wrong_and_not_timed(benches: Benches, do: str, kind: str, claim: str) -> None:
    benches.add("odd", fault={"do": do, "workload": "spin", "kind": kind})
    for name in ("even", "third"):
        benches.add(name)
    result = benches.run()
    assert result.code == 4
    cell = result.cells[SPIN]
    assert (cell["status"], cell["samples"]) == ("wrong", [])
    assert cell["reason"].startswith(claim)
    assert "most models have" in cell["reason"]
    check_rest(result, SPIN)


def test_two_models_that_disagree_are_both_wrong(benches: Benches) -> None:
    benches.add("odd", fault={"do": "sample", "workload": "spin", "kind": "checksum"})
    benches.add("even")
    result = benches.run("--workloads", "spin")
    assert result.code == 4
    assert {cell["status"] for cell in result.cells.values()} == {"wrong"}


def test_a_checksum_that_changes_between_samples_is_wrong(benches: Benches) -> None:
    benches.add("odd", fault={"do": "sample", "workload": "spin", "kind": "checksum", "skip": 5})
    result = benches.run("--workloads", "spin")
    assert result.cells[SPIN]["status"] == "wrong"
    assert "differs from the first one" in result.cells[SPIN]["reason"]
    assert len(result.cells[SPIN]["samples"]) == 3


def test_a_back_end_that_turns_out_to_be_missing_is_unsupported_and_no_failure(benches: Benches) -> None:
    benches.add("odd", fault={"do": "gate", "workload": "spin", "kind": "unsupported"})
    result = benches.run()
    assert result.code == 0
    assert (result.cells[SPIN]["status"], result.cells[SPIN]["reason"]) == ("unsupported", "io_uring is not permitted here")
    check_rest(result, SPIN)


HELLOS = [
    ("cannot_run", "unsupported", "io_uring is not permitted here", 0),
    ("exit", "failed", "ended with exit code 1; it said: the pool could not be built", 4),
    ("hang", "failed", "no answer within 3.0 s", 4),
    ("garbage", "failed", "answered what is not JSON", 4),
    ("other_model", "failed", 'the process of odd calls itself "somebody_else"', 4),
    ("odd_number", "failed", 'its hello does not keep to the protocol: at_once is "many", not int', 4),
    ("no_cells", "failed", "cells is null, not list", 4),
]


@pytest.mark.parametrize(("kind", "status", "reason", "code"), HELLOS)
def test_a_model_that_cannot_be_opened_does_not_stop_the_others(benches: Benches, kind: str, status: str, reason: str, code: int) -> None:
    benches.grace_s = 1.5 if "hang" in kind else benches.grace_s
    benches.add("odd", fault={"do": "hello", "kind": kind})
    benches.add("even")
    result = benches.run("--workloads", "spin")
    assert result.code == code
    models = {model["id"]: model for model in result.run["models"]}
    assert models["odd"]["status"] == status
    assert reason in models["odd"]["reason"]
    assert [cell["model"] for cell in result.run["cells"]] == ["even"]
    check_rest(result)


def test_a_server_that_is_the_limit_takes_the_verdict_but_not_the_samples(benches: Benches) -> None:
    benches.add("odd", origin_share=0.9)
    benches.add("even", origin_share=0.5)
    result = benches.run("--workloads", "spin")
    assert result.code == 0
    assert result.cells[SPIN]["status"] == "server_bound"
    assert len(result.cells[SPIN]["samples"]) == 24
    assert result.cells["spin/model:even/tasks:10/delay_us:5"]["status"] == "ok"


def test_a_size_that_costs_too_much_is_projected_from_a_smaller_one_and_never_run(benches: Benches) -> None:
    benches.add("odd", sizes=[10, 1_000_000], unit_ns=100_000)
    result = benches.run("--workloads", "spin")
    assert result.code == 0
    large = result.cells["spin/model:odd/tasks:1000000/delay_us:5"]
    assert (large["status"], large["samples"], large["account"]) == ("projected", [], None)
    assert 40e9 < large["projected_ns"] < 120e9
    assert large["reason"].startswith("projected ≥ ") and "from tasks:10" in large["reason"]


def test_a_gate_pass_that_takes_very_long_projects_without_a_sample(benches: Benches) -> None:
    benches.add("odd", gate_s=1.5)
    result = benches.run("--workloads", "spin", "--time-budget", "4s")
    assert result.code == 6 and "nothing was measured: nothing left to measure: give it more time" in result.err
    cell = result.cells[SPIN]
    assert (cell["status"], cell["iterations"], cell["account"]["executions"]) == ("projected", None, 10)
    assert "its gate pass took" in cell["reason"] and cell["projected_ns"] >= 1.5e9 / 4


def test_a_model_that_is_clearly_slower_in_time_and_cpu_stops_after_three_rounds_and_in_time_alone_after_six(benches: Benches) -> None:
    benches.add("best")
    benches.add("slow", unit_ns=500_000)
    benches.add("lazy", unit_ns=500_000, cpu=0.1)
    result = benches.run("--workloads", "spin")
    counts = {cell["model"]: len(cell["samples"]) for cell in result.run["cells"]}
    assert counts == {"best": 24, "slow": 3, "lazy": 6}
    stopped = {cell["model"]: cell["stopped"] for cell in result.run["cells"]}
    assert stopped["best"] is None
    assert stopped["slow"]["rounds"] == 3 and stopped["slow"]["reason"].endswith("in CPU too")
    assert stopped["lazy"]["rounds"] == 6


def test_one_origin_serves_all_models_and_ends_with_the_run(benches: Benches) -> None:
    pids = benches.add_server("origin")
    benches.add("odd")
    benches.add("even")
    assert benches.run("--cores", "1").code == 0
    journal = [json.loads(line) for line in (benches.folder.parent / "out" / "samples.jsonl").read_text().splitlines()]
    options = [event["hello"]["options"] for event in journal if event["event"] == "model"]
    assert options == [["--serve", "--origin", "http://127.0.0.1:12345", "--cores", "1"]] * 2
    (pid,) = pids.read_text().split()
    assert not Path("/proc", pid).exists()


def test_an_origin_that_dies_is_started_again_with_all_models(benches: Benches) -> None:
    pids = benches.add_server("origin")
    fault = {"do": "sample", "workload": "spin", "kind": "kill_origin", "skip": 6, "times": 1}
    benches.add("odd", fault=fault, origin_pid=str(benches.folder / "origin.pid"))
    benches.add("even")
    result = benches.run()
    assert result.code == 4
    assert (result.cells[SPIN]["status"], result.cells[SPIN]["reason"]) == ("failed", "connection refused")
    assert len(pids.read_text().split()) == 2
    assert {model["starts"] for model in result.run["models"]} == {2}
    assert {len(cell["samples"]) for cell in result.run["cells"]} == {24}


def test_an_origin_that_says_no_url_is_an_environment_error(benches: Benches) -> None:
    benches.add_server("origin", "no free port")
    benches.add("odd")
    result = benches.run()
    assert result.code == 3
    assert "the origin server printed no URL: no free port" in result.err

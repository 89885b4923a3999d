"""Whatever a bench process does, the cell gets its outcome, the rest is measured, and the exit code tells."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from driver.session.preset import QUICK
from tests.driver.conftest import ROOT, Benches, Result

SPIN, WAIT = "spin/model:odd/tasks:10/delay_us:5", "wait/model:odd/tasks:10/delay_us:5"


def check_rest(result: Result, *bad: str) -> None:
    """All cells but the bad ones are whole, and the file keeps to its schema."""
    schema = json.loads((ROOT / "reports/schema/run-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(result.run)
    result.check_whole(*bad)


def test_the_bound_that_processes_measure_is_the_shortest_of_its_case(benches: Benches) -> None:
    for model, bare_ns in (("one", 700), ("two", 300), ("three", 500)):
        benches.add(model, bare_ns=bare_ns)
    benches.add("knows_none", cells={"spin": {"bound": "a bare call for each"}}, bare_ns=None)
    result = benches.run("--workloads", "spin")
    assert result.code == 0, result.err
    assert {cell["bound_ns"] for cell in result.cells.values()} == {300}


QUICK_NS = 10_000  # an item of a model of which nobody would think that it is slow when it hangs

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
    ("negative", "wrong", "its answer does not conform to the protocol: cpu_user_ns: -1 is less than the minimum of 0"),
]


@pytest.mark.parametrize(("kind", "status", "reason"), FAILURES)
def test_a_cell_that_always_fails_is_tried_twice(benches: Benches, kind: str, status: str, reason: str) -> None:
    benches.grace_s = 1.5 if "hang" in kind else benches.grace_s
    benches.add("odd", unit_ns=QUICK_NS, fault={"do": "sample", "workload": "spin", "kind": kind})
    benches.add("even", unit_ns=QUICK_NS)
    result = benches.run()
    assert result.code == 4
    cell = result.cells[SPIN]
    assert cell["status"] == status
    assert reason in cell["reason"]
    assert [failure["during"] for failure in cell["failures"]] == ["calibration", "calibration"]
    assert cell["samples"] == []
    check_rest(result, SPIN)
    assert f"{SPIN}: {status.replace('_', ' ')}: " in result.err
    before = [
        event["model"]
        for event in result.journal[: [event["event"] for event in result.journal].index("visit")]
        if event["event"] == "start"
    ]
    assert (before.count("odd"), before.count("even")) == (3, 1)


def test_what_takes_longer_than_its_cap_where_others_take_long_too_is_projected_and_not_awaited(
    benches: Benches, sleepers_of: Callable[[int], set[int]]
) -> None:
    seconds = 500_000 + os.getpid()
    only_spin = {"wait": {"status": "unsupported", "reason": "cannot wait"}}
    benches.add("even", unit_ns=1_000_000, cells=only_spin)
    benches.add(
        "odd", children=seconds, fault={"do": "sample", "workload": "spin", "kind": "hang_deaf"}, cells=only_spin
    )
    begun = time.monotonic()
    result = benches.run()
    assert time.monotonic() - begun < 20, "600 s is what it would have taken"
    assert result.code == 0
    cell = result.cells[SPIN]
    assert (cell["status"], cell["samples"], cell["failures"]) == ("projected", [], [])
    assert (
        cell["projected_ns"] == 2 * QUICK.cap_ns(2)
        and "ended when its calibration had taken that long" in cell["reason"]
    )
    assert sleepers_of(seconds) == set()
    assert result.cells[SPIN.replace("odd", "even")]["status"] == "ok"


def test_a_process_that_dies_is_no_slow_one_though_its_workers_hold_its_output_open(benches: Benches) -> None:
    benches.add("even", unit_ns=1_000_000)
    benches.add("odd", children=600_000 + os.getpid(), fault={"do": "sample", "workload": "spin", "kind": "crash"})
    result = benches.run("--workloads", "spin")
    assert result.code == 4
    assert (result.cells[SPIN]["status"], result.cells[SPIN]["reason"].partition(";")[0]) == (
        "crashed",
        "killed by SIGSEGV",
    )


@pytest.mark.parametrize(
    ("kind", "status"), [("crash", "crashed"), ("hang", "timed_out"), ("wrong", "wrong"), ("twice", "failed")]
)
def test_a_failure_amid_the_rounds_keeps_the_samples_before_and_after_it(
    benches: Benches, kind: str, status: str
) -> None:
    benches.grace_s = 1.5 if "hang" in kind else benches.grace_s
    benches.add("odd", fault={"do": "sample", "workload": "wait", "kind": kind, "skip": 4, "times": 1})
    benches.add("even")
    result = benches.run()
    assert result.code == 4
    failed = [cell for cell in result.cells.values() if cell["status"] != "ok"]
    assert [cell["status"] for cell in failed] == [status]
    # An unasked second answer shows at the next request, which may be one of another cell.
    assert failed[0]["model"] == "odd"
    (failure,) = failed[0]["failures"]
    assert failure["during"] == "round"
    assert [sample["round"] for sample in failed[0]["samples"]] == list(range(result.visits[failed[0]["case"]]))
    processes = [sample["process"] for sample in failed[0]["samples"]]
    assert processes[failure["round"] - 1] < processes[failure["round"]] == max(processes[: failure["round"] + 1])


@pytest.mark.parametrize(
    ("do", "kind", "claim"), [("sample", "checksum", "checksum is bad"), ("gate", "executions", "executions is 1")]
)
def test_the_model_that_claims_other_work_than_most_is_wrong_and_not_timed(
    benches: Benches, do: str, kind: str, claim: str
) -> None:
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
    assert len(result.cells[SPIN]["samples"]) == 4  # and the calibration


def test_a_back_end_that_turns_out_to_be_missing_is_unsupported_and_no_failure(benches: Benches) -> None:
    benches.add("odd", fault={"do": "gate", "workload": "spin", "kind": "unsupported"})
    result = benches.run()
    assert result.code == 0
    assert (result.cells[SPIN]["status"], result.cells[SPIN]["reason"]) == (
        "unsupported",
        "io_uring is not permitted here",
    )
    check_rest(result, SPIN)


HELLOS = [
    ("cannot_run", "unsupported", "io_uring is not permitted here", 0),
    ("exit", "failed", "ended with exit code 1; it said: the pool could not be built", 4),
    ("hang", "failed", "no answer within 3.0 s", 4),
    ("garbage", "failed", "answered what is not JSON", 4),
    ("other_model", "failed", 'the process of odd calls itself "somebody_else"', 4),
    (
        "odd_number",
        "failed",
        "its hello does not conform to the protocol: at_once: \"many\" is not of type 'integer'",
        4,
    ),
    (
        "other_kind",
        "failed",
        (
            "its hello does not conform to the protocol: engineering: \"magic\" is not one of ['textbook', 'best',"
            " 'library']"
        ),
        4,
    ),
    ("no_cells", "failed", "'cells' is a required property", 4),
]


@pytest.mark.parametrize(("kind", "status", "reason", "code"), HELLOS)
def test_a_model_that_cannot_be_opened_does_not_stop_the_others(
    benches: Benches, kind: str, status: str, reason: str, code: int
) -> None:
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
    assert len(result.cells[SPIN]["samples"]) == result.visits["spin/tasks:10/delay_us:5"]
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
    benches.add("odd", gate_s=1.5, cells={"wait": {"status": "unsupported", "reason": "cannot wait"}})
    result = benches.run("--time-budget", "4s")
    assert result.code == 6 and "nothing was measured: nothing left to measure: give it more time" in result.err
    cell = result.cells[SPIN]
    assert (cell["status"], cell["iterations"], cell["account"]["executions"]) == ("projected", None, 10)
    assert "its check pass took" in cell["reason"] and cell["projected_ns"] >= 1.5e9 / 4


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
    events = result.journal
    after = events[[event["event"] for event in events].index("failure") :]
    for model in ("odd", "even"):
        own = [
            event["event"]
            for event in after
            if event.get("model") == model or (event["event"] == "sample" and f"model:{model}/" in event["cell"])
        ]
        assert own[:2] == ["start", "sample"], "whatever its process knew of the old one"
    for cell in result.run["cells"]:
        assert [sample["round"] for sample in cell["samples"]] == list(range(result.visits[cell["case"]]))


def test_without_an_origin_the_run_goes_on_with_what_needs_none(benches: Benches) -> None:
    benches.add_server("origin", "no free port")
    benches.add("odd")
    benches.add("even")
    result = benches.run()
    assert result.code == 0
    assert "the origin server printed no URL: no free port: what needs it is not measured" in result.err
    assert not any("--origin" in event["hello"]["options"] for event in result.journal if event["event"] == "model")


def test_what_a_model_says_it_is_made_of_stands_in_the_run(benches: Benches) -> None:
    benches.add("handy", engineering="library")
    result = benches.run("--workloads", "spin")
    [model] = result.run["models"]
    assert (model["engineering"], model["semaphore_order"], model["channel_order"]) == ("library", None, "fifo")

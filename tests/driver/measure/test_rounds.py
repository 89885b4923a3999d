"""What a run measures: first rounds, looks, who is left out of them and when a process is renewed, over doubles."""

import json
from pathlib import Path

import pytest
from reports.cases.cases import analyse
from reports.cases.read import read_run

from driver.prepare.plan import ROUNDS_OF_A_PROCESS
from driver.session.preset import NAMED_ROUNDS, SECOND
from tests.driver.conftest import Benches
from vocabulary.looks import LEAST_ROUNDS

SPIN = "spin/model:odd/tasks:10/delay_us:5"


def test_two_tiny_cells_are_measured_to_the_end(benches: Benches) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.run("--workloads", "spin")
    assert (result.code, result.out.strip()) == (0, str(result.folder / "index.html"))
    assert (result.folder / "index.html").read_text() == "drawn"
    result.check_whole()
    run = result.run
    assert [run["run"][key] for key in ("complete", "stop_reason", "seed", "mode")] == [
        True,
        "all cases are decided",
        1,
        "quick",
    ]
    assert {cell["iterations"] for cell in run["cells"]} == {4}  # 4 ms of 10 items of 0.1 ms
    assert run["run"]["rounds_done"] == len(run["visits"]) == 12 + 2, (
        "a tie, which three processes of each show, in the rounds that what is named has in any case, and two that"
        " might have contradicted it"
    )


@pytest.mark.parametrize(
    ("named", "rounds"),
    [
        ((), LEAST_ROUNDS),
        (("--workloads", "spin"), NAMED_ROUNDS),
        (("--models", "odd"), NAMED_ROUNDS),
        (("--cells", SPIN), NAMED_ROUNDS),
    ],
)
def test_a_case_without_a_rival_has_the_first_rounds_and_no_more_or_those_of_what_is_named(
    benches: Benches, named: tuple[str, ...], rounds: int
) -> None:
    benches.add("odd")
    result = benches.run(*named)
    assert result.code == 0, result.err
    assert (result.run["run"]["complete"], len(result.cells[SPIN]["samples"])) == (True, rounds)


def test_the_whole_budget_goes_into_what_is_open_also_between_two_looks(benches: Benches) -> None:
    for model in ("odd", "even"):
        benches.add(model, noise=0.2, sleep_s=0.05)
    result = benches.run("--workloads", "spin", "--time-budget", "6s")
    assert (result.code, result.run["run"]["stop_reason"]) == (0, "time budget")
    done = result.run["run"]["rounds_done"]
    assert done >= NAMED_ROUNDS
    ends = [event["at_ns"] for event in result.journal if event["event"] == "visit"]
    longest_ns = max(after - before for before, after in zip(ends, ends[1:]))
    left_ns = 6 * SECOND - result.run["run"]["duration_ns"]
    assert left_ns < max(SECOND, 2 * longest_ns), "another round would not have fitted"
    (case,) = analyse(read_run(result.folder)).cases
    assert case.verdicts["time"].rounds == done, "and the report looks at all of it"


def test_one_pass_that_counts_nowhere_comes_right_before_a_short_sample(benches: Benches, tmp_path: Path) -> None:
    benches.add("odd", requests=str(tmp_path / "requests"), cells={"wait": {"fresh_process": True}})
    assert benches.run().code == 0
    samples = [
        request
        for line in (tmp_path / "requests").read_text().splitlines()
        if (request := json.loads(line))["do"] == "sample"
    ]
    assert {
        request.get("untimed", 0) for request in samples if request["workload"] == "spin" and request["iterations"] > 1
    } == {1}
    assert {request.get("untimed", 0) for request in samples if request["workload"] == "wait"} == {
        0
    }, "nothing is to run before in such a process"


def test_iterations_follow_what_the_last_samples_took(benches: Benches) -> None:
    # the check pass, the calibration and three rounds; what does not compete keeps its process
    benches.add("serial", family="serial", slower_after=4)
    (cell,) = benches.run("--full", "--workloads", "spin").run["cells"]
    samples = cell["samples"]
    assert [sample["iterations"] for sample in samples[:3]] == [4, 4, 4]
    assert samples[5]["iterations"] == 1, "each iteration takes ten times as long by now"


def test_a_process_is_renewed_after_some_rounds_of_a_case_that_is_open(benches: Benches) -> None:
    benches.add("odd", noise=0.03)
    benches.add("even", noise=0.03)
    result = benches.run("--workloads", "spin")
    assert result.code == 0
    result.check_whole()
    open_rounds = len(result.run["visits"]) - 2  # those that confirm need no new process
    assert open_rounds >= 24
    for cell in result.run["cells"]:
        starts = [sample["process"] for sample in cell["samples"]][:open_rounds]
        assert starts[:10] == [0, 0, 1, 1, 2, 2, 2, 2, 2, 2], "the first rounds come from three processes"
        assert all(starts.count(process) == ROUNDS_OF_A_PROCESS for process in range(2, max(starts)))
    assert {model["starts"] for model in result.run["models"]} == {result.run["run"]["processes"]}


def test_a_dear_model_that_is_slower_in_time_and_cpu_stops_after_three_rounds_in_time_alone_stays_for_the_look(
    benches: Benches,
) -> None:
    benches.add("best")
    benches.add("slow", unit_ns=500_000, sleep_s=0.03)
    benches.add("lazy", unit_ns=500_000, cpu=0.1, sleep_s=0.03)
    result = benches.run()
    rounds = {cell["model"]: len(cell["samples"]) for cell in result.run["cells"] if cell["workload"] == "spin"}
    assert rounds == {"best": 6 + 2, "slow": 3, "lazy": 6 + 2}
    stopped = {cell["model"]: cell["stopped"] for cell in result.run["cells"] if cell["workload"] == "spin"}
    assert (stopped["best"], stopped["lazy"]) == (None, None)
    assert stopped["slow"]["rounds"] == 3 and "is over 2.5 times the slowest of best" in stopped["slow"]["reason"]


def test_nothing_that_is_named_is_stopped_or_left_out_of_its_case_before_twelve_rounds(benches: Benches) -> None:
    benches.add("best")
    benches.add("slow", unit_ns=500_000, sleep_s=0.03)
    result = benches.run("--models", "best,slow", "--workloads", "spin")
    assert result.code == 0, result.err
    assert {cell["stopped"] for cell in result.run["cells"]} == {None}
    assert all(len(cell["samples"]) >= NAMED_ROUNDS for cell in result.run["cells"])


def test_of_what_is_named_an_iteration_may_take_as_long_as_its_rounds_fit_the_budget(
    benches: Benches, tmp_path: Path
) -> None:
    """As measured: one case with iterations of a second ended with all models projected."""
    benches.add("best")
    benches.add("dear", unit_ns=35_000_000, sleep_s=0.35, gate_s=0.1, requests=str(tmp_path / "requests"))
    result = benches.run("--workloads", "spin", "--size", "tasks=10", "--time-budget", "7s")
    assert result.code == 0, result.err
    assert {cell["status"] for cell in result.run["cells"]} == {"ok"}
    assert all(len(cell["samples"]) >= LEAST_ROUNDS for cell in result.run["cells"])
    taken = [
        request
        for line in (tmp_path / "requests").read_text().splitlines()
        if (request := json.loads(line))["do"] == "sample"
    ]
    assert len(taken) == len(
        result.cells[SPIN.replace("odd", "dear")]["samples"]
    ), "the sample by which a dear cell is calibrated is its first round"


def test_a_model_that_a_look_shows_to_be_slower_has_no_more_rounds_while_the_others_go_on(benches: Benches) -> None:
    benches.add("one", noise=0.02)
    benches.add("two", noise=0.02)
    benches.add("slow", unit_ns=400_000)
    result = benches.run()
    rounds = {
        cell["model"]: [sample["round"] for sample in cell["samples"]]
        for cell in result.run["cells"]
        if cell["workload"] == "spin"
    }
    assert rounds["slow"] == list(range(6))
    assert (
        rounds["one"] == rounds["two"] == list(range(result.visits["spin/tasks:10/delay_us:5"]))
        and len(rounds["one"]) >= 12
    )
    assert {cell["stopped"] for cell in result.run["cells"]} == {
        None
    }, "that is said of what had too few rounds for a look"


def test_what_is_only_shown_has_the_first_rounds_beside_what_competes(benches: Benches) -> None:
    benches.add("event_loop", family="event_loop", noise=0.02)
    benches.add("event_loop_uring", family="event_loop")
    benches.add("thread_pool", family="threads", noise=0.02)
    result = benches.run("--full", "--workloads", "spin")
    assert result.code == 0, result.err
    rounds = {cell["model"]: [sample["round"] for sample in cell["samples"]] for cell in result.run["cells"]}
    assert rounds["event_loop_uring"] == list(
        range(NAMED_ROUNDS, NAMED_ROUNDS + LEAST_ROUNDS)
    ), "after those of what competes"
    assert rounds["event_loop"] == rounds["thread_pool"] == list(range(len(result.run["visits"])))
    assert rounds["event_loop_twin"] == rounds["event_loop"][:-2], "a twin is looked at whenever its original is"

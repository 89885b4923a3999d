"""Any size, and cells by their ids: --size and --cells, over doubles that describe a cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driver.prepare.request import parse_size
from driver.problem import Problem
from tests.driver.conftest import Benches

QUICK_NS = 20_000


def test_a_size_that_is_in_no_list_is_measured_on_all_models_and_nothing_else_is(benches: Benches) -> None:
    for model in ("odd", "even"):
        benches.add(model, unit_ns=QUICK_NS)
    result = benches.run("--workloads", "spin", "--size", "tasks=17")
    assert result.code == 0, result.err
    assert set(result.cells) == {"spin/model:odd/tasks:17/delay_us:5", "spin/model:even/tasks:17/delay_us:5"}
    result.check_whole()
    assert (result.run["run"]["sizes"], result.run["run"]["cells"]) == ([{"tasks": 17}], [])


def test_several_sizes_of_several_workloads_are_measured_each(benches: Benches) -> None:
    for model in ("odd", "even"):
        benches.add(model, unit_ns=QUICK_NS)
    result = benches.run(
        "--workloads",
        "spin,wait",
        "--size",
        "tasks=17",
        "--size",
        "tasks=20,delay_us=7",
        "--size",
        "tasks=17,delay_us=5",
    )
    assert result.code == 0, result.err
    assert set(result.visits) == {
        f"{workload}/{size}" for workload in ("spin", "wait") for size in ("tasks:17/delay_us:5", "tasks:20/delay_us:7")
    }, "a size that is named twice is one"


def test_a_model_that_knows_no_size_but_its_own_is_left_out_with_the_reason(benches: Benches) -> None:
    for model in ("odd", "even"):
        benches.add(model, unit_ns=QUICK_NS)
    benches.add("old", unit_ns=QUICK_NS, own_sizes_only=True)
    result = benches.run("--workloads", "spin", "--size", "tasks=17")
    assert result.code == 0, result.err
    assert {cell["model"] for cell in result.cells.values()} == {"odd", "even"}
    (left_out,) = (model for model in result.run["models"] if model["id"] == "old")
    assert (left_out["status"], left_out["reason"]) == ("unsupported", "has the sizes of its list only")


def test_a_model_that_dies_while_it_describes_a_cell_has_failed_and_the_others_are_measured(benches: Benches) -> None:
    for model in ("odd", "even"):
        benches.add(model, unit_ns=QUICK_NS)
    benches.add("mad", fault={"do": "describe", "kind": "crash"})
    result = benches.run("--workloads", "spin", "--size", "tasks=17")
    assert result.code == 4
    assert {cell["status"] for cell in result.cells.values()} == {"ok"}
    (failed,) = (model for model in result.run["models"] if model["id"] == "mad")
    assert failed["status"] == "failed"


def test_a_resumed_run_has_the_sizes_that_it_was_begun_with(benches: Benches) -> None:
    for model in ("odd", "even"):
        benches.add(model, unit_ns=QUICK_NS)
    first = benches.run("--workloads", "spin", "--size", "tasks=17")
    resumed = benches.drive("run", "--resume", str(first.folder))
    assert resumed.code == 0, resumed.err
    assert (set(resumed.cells), resumed.run["run"]["sizes"]) == (set(first.cells), [{"tasks": 17}])


@pytest.mark.parametrize(
    ("size", "complaint"),
    [
        ("task=5", "there is no param of spin task (did you mean tasks?)"),
        ("tasks=0", "tasks is 0: spin takes from 1 to 100000"),
        ("tasks=1000000000000", "tasks is 1000000000000: spin takes from 1 to 100000"),
        ("tasks=-5", "tasks is -5, not a whole number from 0"),
        ("tasks=5.5", "tasks is 5.5, not a whole number from 0"),
        ("tasks=many", "tasks is many, not a whole number from 0"),
        (f"tasks={10**30}", "not a whole number"),
        ("tasks", "does not assign values to params"),
        ("", "does not assign values to params"),
        ("tasks=5,tasks=6", "names tasks twice"),
    ],
)
def test_a_size_that_cannot_be_is_answered_with_one_line_that_says_what_can(
    benches: Benches, size: str, complaint: str
) -> None:
    benches.add("odd")
    result = benches.run("--workloads", "spin", "--size", size)
    assert (result.code, len(result.err.splitlines())) == (2, 1), result.err
    assert complaint in result.err


def test_a_size_needs_workloads(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run("--size", "tasks=5")
    assert (result.code, result.err.splitlines()) == (
        2,
        ["crossover: --size tasks=5 needs --workloads: name those that have these params, as in --workloads mixed"],
    )


def test_the_pace_of_an_open_loop_is_not_for_the_user_to_choose(benches: Benches) -> None:
    paced = {"paced_by": "rate_per_s", "params": {"tasks": 10, "rate_per_s": 5000}, "metric": "latency"}
    benches.add("odd", cells={"wait": paced})
    result = benches.run("--workloads", "wait", "--size", "rate_per_s=100")
    assert (result.code, len(result.err.splitlines())) == (2, 1)
    assert "rate_per_s of wait cannot be chosen" in result.err


def test_cells_are_chosen_by_their_ids_among_the_sizes_of_all_lists(benches: Benches) -> None:
    for model in ("odd", "even", "third"):
        benches.add(model, unit_ns=QUICK_NS, sizes=[10, 20], lists=[])
    result = benches.run(
        "--cells", "spin/model:odd/*,spin/model:even/tasks:20/*", "--cells", "wait/*/tasks:10/*", "--models", "odd,even"
    )
    assert result.code == 0, result.err
    odd = {f"spin/model:odd/tasks:{tasks}/delay_us:5" for tasks in (10, 20)}
    assert set(result.cells) == odd | {
        "spin/model:even/tasks:20/delay_us:5",
        "wait/model:odd/tasks:10/delay_us:5",
        "wait/model:even/tasks:10/delay_us:5",
    }
    assert result.run["run"]["cells"] == ["spin/model:odd/*", "spin/model:even/tasks:20/*", "wait/*/tasks:10/*"]
    resumed = benches.drive("run", "--resume", str(result.folder))
    assert (resumed.code, set(resumed.cells)) == (0, set(result.cells))


def test_a_pattern_that_matches_no_cell_is_answered_with_ids_that_are_near(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run("--cells", "spin/model:old/tasks:10/delay_us:5")
    assert (result.code, len(result.err.splitlines())) == (6, 1)
    assert "matches no cell (near it: spin/model:odd/tasks:10/delay_us:5" in result.err
    assert not result.folder.exists()


def test_the_journal_says_what_was_asked_for(benches: Benches, tmp_path: Path) -> None:
    benches.add("odd", unit_ns=QUICK_NS, requests=str(tmp_path / "requests"))
    result = benches.run("--workloads", "spin", "--size", "tasks=17")
    assert (result.journal[0]["sizes"], result.journal[0]["cells"]) == ([{"tasks": 17}], [])
    first = json.loads((tmp_path / "requests").read_text().splitlines()[0])
    assert first == {"do": "describe", "workload": "spin", "params": {"tasks": 17}}


def test_sizes_are_written_as_params_with_values() -> None:
    assert parse_size("tasks=5000,wait_us=20000, steps=0") == {"tasks": 5000, "wait_us": 20000, "steps": 0}
    with pytest.raises(Problem):
        parse_size("tasks=5000,")

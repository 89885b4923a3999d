"""--focus and --against: what they name is measured, stored and put in front; what is no such model is answered with
what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports.pages.validate import faults

from driver.prepare.plan import SCREEN_ROUNDS, clearly_slower, excess
from driver.prepare.selection import select
from driver.session.cells import REFERENCE, REPRESENTATIVE
from driver.session.preset import Variants
from tests.driver.conftest import Benches
from tests.driver.prepare.test_plan import MS, cell, with_samples
from tests.driver.prepare.test_selection import MEMBERS, cells
from vocabulary.looks import LEAST_ROUNDS

USAGE = [
    (["run", "--focus", "evne"], "there is no model evne (did you mean even?); there are: even, odd"),
    (["run", "--focus", "odd", "--against", "evne"], "there is no model evne (did you mean even?)"),
    (["run", "--against", "odd"], "--against odd needs --focus"),
    (["run", "--focus", "odd", "--against", "odd"], "--focus and --against both name odd"),
    (["run", "--focus", "odd", "--models", "even"], "--focus odd is not among --models even: add it there"),
    (["run", "--resume", "nowhere", "--focus", "odd"], "only --time-budget can be added"),
    (["report", "nowhere", "--focus", "odd"], "there is no run in nowhere"),
]


def test_a_model_in_front_without_a_cell_that_it_supports_is_a_usage_error(benches: Benches) -> None:
    benches.add("odd", cells={"spin": {"status": "unsupported", "reason": "needs can_fork"}})
    benches.add("even")
    result = benches.run("--workloads", "spin", "--focus", "odd")
    assert result.code == 2 and "--focus odd has none of the chosen cells" in result.err and result.err.count("\n") == 1
    assert not result.folder.exists()


@pytest.mark.parametrize(("arguments", "line"), USAGE)
def test_what_cannot_stand_in_front_is_a_usage_error_of_one_line(
    benches: Benches, arguments: list[str], line: str
) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.drive(*arguments)
    assert result.code == 2
    assert line in result.err and result.err.count("\n") == 1


def test_the_run_stores_who_stands_in_front_and_a_resumed_one_keeps_it(benches: Benches) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.run("--workloads", "spin", "--focus", "odd", "--against", "even")
    assert result.code == 0, result.err
    assert (result.run["run"]["focus"], result.run["run"]["against"], result.run["schema_version"]["minor"]) == (
        "odd",
        "even",
        10,
    )
    assert faults(result.folder) == []
    (result.folder / "run.json").unlink()
    again = benches.drive("run", "--resume", str(result.folder))
    assert again.code == 0, again.err
    assert (result.run["run"]["focus"], result.run["run"]["against"]) == ("odd", "even")


def test_a_run_for_no_model_more_than_for_another_says_so(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run("--workloads", "spin")
    assert (result.run["run"]["focus"], result.run["run"]["against"]) == (None, None)


def test_a_model_in_front_is_measured_in_quick_too_though_it_does_not_compete() -> None:
    assert "event_loop_uring" not in {cell.model for cell in select(cells("cpu"), MEMBERS, "quick", [], Variants.NONE)}
    (own,) = (
        cell
        for cell in select(cells("cpu"), MEMBERS, "quick", [], Variants.NONE, ["event_loop_uring"])
        if cell.model == "event_loop_uring"
    )
    assert own.in_front and own.followed and not own.shown_only


def test_a_model_that_was_not_measured_is_put_in_front_of_no_report(benches: Benches) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.run("--workloads", "spin")
    before = (result.folder / "run.json").read_bytes()
    refused = benches.drive("report", str(result.folder), "--focus", "evne")
    assert (refused.code, refused.err) == (
        2,
        "crossover: there is no measured model evne (did you mean even?); there are: even, odd\n",
    )
    assert (result.folder / "run.json").read_bytes() == before
    other = result.folder.with_name("other")
    assert benches.drive("run", "--workloads", "spin", "--seed", "2", "--out", str(other)).code == 0
    refused = benches.drive("compare", str(result.folder), str(other), "--focus", "evne")
    assert refused.code == 2 and "there is no measured model evne (did you mean even?)" in refused.err
    told = benches.drive("compare", str(result.folder), str(other), "--focus", "even")
    assert told.code == 0 and told.out.startswith("even, after against before: ")


def test_a_model_in_front_is_not_left_out_for_others_nor_stopped_before_it_has_an_interval() -> None:
    fast, mine, other = (
        cell(model, single_ns=ms * MS, iterations=1, rank=rank)
        for model, ms, rank in (("fast", 10, REPRESENTATIVE), ("mine", 40, REFERENCE), ("other", 40, REFERENCE))
    )
    mine = replace(mine, in_front=True)
    found = excess([fast, mine, other], LEAST_ROUNDS * 55 * MS)
    assert ([one.model for one in found.left_out], found.projected) == (["other"], [])
    quick = with_samples("fast", [10.0] * SCREEN_ROUNDS, [1.0] * SCREEN_ROUNDS)
    slow = with_samples("mine", [4000.0] * SCREEN_ROUNDS, [1.0] * SCREEN_ROUNDS, rank=REFERENCE)
    assert set(clearly_slower([quick, slow], [quick])) == {slow.id}
    slow = replace(slow, in_front=True)
    assert clearly_slower([quick, slow], [quick]) == {}

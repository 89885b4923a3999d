"""check on runs of doubles: exit codes, what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.driver.conftest import Benches

CASE = "spin/tasks:10/delay_us:5"
Runs = Callable[..., Path]


@pytest.fixture
def runs(benches: Benches) -> Runs:
    """Measures five doubles into a folder of that name; the config is that of `odd`."""

    def measure(name: str, *arguments: str, **config: Any) -> Path:
        for model, family in (("a", "fibers"), ("b", "tbb"), ("c", "processes"), ("serial", "serial")):
            benches.add(model, family=family)
        benches.add("odd", family="threads", **config)
        out = benches.folder.parent / name
        result = benches.drive("run", "--seed", "1", "--workloads", "spin", "--out", str(out), *arguments)
        assert result.code in (0, 4), result.err
        return out

    return measure


def altered(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    file = folder / "run.json"
    document = json.loads(file.read_text())
    change(next(cell for cell in document["cells"] if cell["model"] == "odd"))
    file.write_text(json.dumps(document))
    return folder


def test_equal_runs_pass_the_gate(benches: Benches, runs: Runs) -> None:
    result = benches.drive("check", str(runs("x")), str(runs("y")))
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[-1] == "10 compared at 10%: 0 regressions, 0 inconclusive, 10 passed"
    assert "would have found 10 % and more by time in half of the comparisons" in result.out


def test_a_model_that_is_shown_to_be_slower_fails_the_gate_unless_that_much_is_allowed(
    benches: Benches, runs: Runs
) -> None:
    before, after = runs("x"), runs("y", unit_ns=130_000)
    result = benches.drive("check", str(before), str(after))
    assert result.code == 1
    assert f"{CASE}  odd    time" in result.out and "2 regressions" in result.out
    assert benches.drive("check", str(before), str(after), "--threshold", "40%").code == 0
    assert benches.drive("check", str(after), str(before)).code == 0


def test_a_model_that_is_forty_times_as_slow_fails_the_gate_though_it_is_stopped_after_three_rounds(
    benches: Benches, runs: Runs
) -> None:
    def stop(cell: dict[str, Any]) -> None:
        cell.update(samples=cell["samples"][:3], stopped={"rounds": 3, "reason": "over 2.5 times the slowest of a"})

    before, after = runs("x"), altered(runs("y", unit_ns=4_000_000), stop)
    result = benches.drive("check", str(before), str(after))
    assert (result.code, "stopped early now: over 2.5 times" in result.out) == (1, True)


def test_a_model_that_does_not_start_any_more_fails_the_gate(benches: Benches, runs: Runs) -> None:
    before, after = runs("x"), runs("y", fault={"do": "hello", "kind": "exit"})
    result = benches.drive("check", str(before), str(after))
    assert result.code == 1
    assert "odd: failed now: ended with exit code 1" in result.out


def test_what_is_not_excluded_fails_the_gate_only_when_asked_for(benches: Benches, runs: Runs) -> None:
    before = runs("x")
    after = altered(runs("y"), lambda cell: cell.update(status="not_run", reason="left out", samples=[]))
    assert benches.drive("check", str(before), str(after)).code == 0
    result = benches.drive("check", str(before), str(after), "--fail-on-inconclusive")
    assert result.code == 5
    assert f"{CASE}: odd: not run now: left out" in result.out


def test_it_writes_what_it_found_as_junit_and_tells_it_as_markdown(
    benches: Benches, runs: Runs, tmp_path: Path
) -> None:
    before, after = runs("x"), runs("y", unit_ns=200_000)
    result = benches.drive("check", str(before), str(after), "--junit", str(tmp_path / "found.xml"), "--markdown")
    assert result.code == 1 and result.out.startswith("**Regressions**")
    suite = ElementTree.parse(tmp_path / "found.xml").getroot()
    assert {case.get("name") for case in suite if case.find("failure") is not None} == {"odd"}
    assert len(suite) == 5


def test_a_run_that_is_checked_against_itself_has_no_regression_and_the_first_line_says_why(
    benches: Benches, runs: Runs
) -> None:
    run = runs("x")
    shutil.copytree(run, run.parent / "copy")
    for other in (run, run.parent / "copy"):
        result = benches.drive("check", str(run), str(other))
        assert (result.code, result.err) == (0, "")
        assert "are the same run: nothing can have changed" in result.out.splitlines()[0]


def test_a_junit_file_that_cannot_be_written_is_a_usage_error(benches: Benches, tmp_path: Path) -> None:
    for place, line in (
        (tmp_path, "is a folder: name a file in it"),
        (tmp_path / "none" / "x.xml", "there is no folder"),
    ):
        result = benches.drive("check", "a", "b", "--junit", str(place))
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert line in result.err

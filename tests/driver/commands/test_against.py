"""check --against-built over doubles: two programs of each model in the same rounds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reports.pages.validate import faults

from driver.prepare import revision
from driver.problem import Problem
from driver.progress import Progress
from tests.driver.conftest import ROOT, Benches, Result
from vocabulary.looks import LEAST_ROUNDS

COMMIT = "1a2b3c4" + "0" * 33
# The command as it is, but nothing is built: the programs of the revision lie in the folder of the first argument.
DRIVE = f"""
import sys
from pathlib import Path
sys.dont_write_bytecode = True
sys.path.insert(0, {str(ROOT)!r})
from driver.commands import main
from driver.doctor import findings
from driver.prepare import revision
findings.INSTALLED.clear()
revision.commit_of = lambda name: {COMMIT!r}
revision.build_benches = lambda *rest: Path(sys.argv[1])
sys.exit(main.main(["check", "--against-built", "HEAD~1", *sys.argv[3:]], Path(sys.argv[2])))
"""
Check = Callable[..., Result]


@pytest.fixture
def there(benches: Benches, tmp_path: Path) -> Benches:
    """The programs of the revision."""
    folder = tmp_path / "there" / "benches"
    folder.mkdir(parents=True)
    return Benches(folder)


def command(benches: Benches, there: Benches, *arguments: str) -> list[str]:
    out = str(benches.folder.parent / "out")
    return [
        "/usr/bin/python3",
        "-c",
        DRIVE,
        str(there.folder),
        str(benches.folder),
        "--workloads",
        "spin",
        "--time-budget",
        "20s",
        "--out",
        out,
        *arguments,
    ]


@pytest.fixture
def check(benches: Benches, there: Benches) -> Check:
    def run(*arguments: str) -> Result:
        done = subprocess.run(command(benches, there, *arguments), capture_output=True, text=True, timeout=100)
        assert "Traceback" not in done.stderr, done.stderr
        result = Result(done.returncode, done.stdout, done.stderr, benches.folder.parent / "out")
        if (result.folder / "run.json").is_file():
            assert faults(result.folder / "run.json") == []
        return result

    return run


def test_a_model_that_is_slower_than_at_that_revision_fails_the_check_and_its_results_are_a_run(
    benches: Benches, there: Benches, check: Check, tmp_path: Path
) -> None:
    for folder, unit_ns in ((benches, 130_000), (there, 100_000)):
        folder.add("even", family="fibers")
        folder.add("odd", family="threads", unit_ns=unit_ns)
    result = check("--junit", str(tmp_path / "found.xml"))
    assert result.code == 1, result.err
    assert "spin/tasks:10/delay_us:5  odd    time" in result.out and "even" not in result.out
    assert (tmp_path / "found.xml").is_file()
    assert result.run["run"]["against_built"] == COMMIT
    assert {model["id"]: model["before_of"] for model in result.run["models"]} == {
        "even": None,
        "odd": None,
        "even@1a2b3c4": "even",
        "odd@1a2b3c4": "odd",
    }


def test_the_two_programs_are_sampled_one_right_after_the_other_by_turns_in_the_same_rounds(
    benches: Benches, there: Benches, check: Check
) -> None:
    for folder in (benches, there):
        for model, family in (("even", "fibers"), ("odd", "threads")):
            folder.add(model, family=family)
    result = check()
    assert result.code == 0, result.err
    assert "0 regressions" in result.out
    places: dict[str, dict[int, int]] = {
        cell["model"]: {sample["round"]: sample["position"] for sample in cell["samples"]}
        for cell in result.run["cells"]
    }
    assert min(map(len, places.values())) >= LEAST_ROUNDS
    for model in ("even", "odd"):
        now, before = places[model], places[f"{model}@1a2b3c4"]
        assert now.keys() == before.keys()
        turns = [now[round] - before[round] for round in sorted(now)]
        assert set(turns) == {1, -1} and turns[:2] in ([1, -1], [-1, 1])
    processes = {cell["model"]: [sample["process"] for sample in cell["samples"]][:6] for cell in result.run["cells"]}
    assert {len(set(of)) for of in processes.values()} == {3}


def test_what_that_revision_lacks_or_owes_otherwise_is_named_and_not_compared(
    benches: Benches, there: Benches, check: Check
) -> None:
    for model, family in (("even", "fibers"), ("odd", "threads"), ("new", "tbb")):
        benches.add(model, family=family)
    there.add("even", family="fibers")
    there.add("odd", family="threads", cells={"spin": {"units": 11}})
    result = check()
    assert result.code == 0, result.err
    assert "spin/model:new/tasks:10/delay_us:5: that revision has no such cell: not compared" in result.out
    assert "spin/model:odd/tasks:10/delay_us:5: its work has changed: not compared" in result.out


def test_a_model_that_fails_now_and_did_not_at_that_revision_fails_the_check(
    benches: Benches, there: Benches, check: Check
) -> None:
    for folder, config in ((benches, {"fault": {"do": "gate", "kind": "wrong"}}), (there, {})):
        folder.add("even", family="fibers")
        folder.add("odd", family="threads", **config)
    result = check()
    assert result.code == 1
    assert "odd: wrong now: item 7 ran twice" in result.out


def test_a_model_that_does_not_start_now_and_did_at_that_revision_fails_the_check(
    benches: Benches, there: Benches, check: Check
) -> None:
    for folder, config in ((benches, {"fault": {"do": "hello", "kind": "exit"}}), (there, {})):
        folder.add("even", family="fibers")
        folder.add("odd", family="threads", **config)
    result = check()
    assert result.code == 1
    assert "odd: failed now: ended with exit code 1" in result.out


def test_an_interrupted_check_keeps_what_was_measured_and_is_not_resumed(benches: Benches, there: Benches) -> None:
    for folder in (benches, there):
        for model, family in (("even", "fibers"), ("odd", "threads")):
            folder.add(model, family=family, noise=0.3, sleep_s=0.05)
    child = subprocess.Popen(command(benches, there), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal = benches.folder.parent / "out" / "samples.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (journal.is_file() and b'"visit"' in journal.read_bytes()):
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130
    run: dict[str, Any] = json.loads((journal.parent / "run.json").read_text())
    assert run["run"]["stop_reason"] == "interrupted" and any(cell["samples"] for cell in run["cells"])
    result = benches.drive("run", "--resume", str(journal.parent))
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "cannot be resumed: start it again" in result.err


USAGE = [
    (["check", "before"], "give BEFORE and AFTER, or --against-built REV"),
    (["check", "--against-built", "HEAD", "before", "after"], "leave out BEFORE, AFTER"),
    (["check", "a", "b", "--models", "x"], "--models is for --against-built REV"),
    (["check", "--against-built", "HEAD", "--threshold", "0"], "--threshold 0 is not a percentage above 0"),
]


@pytest.mark.parametrize(("arguments", "line"), USAGE)
def test_what_does_not_go_together_is_a_usage_error(benches: Benches, arguments: list[str], line: str) -> None:
    result = benches.drive(*arguments)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert line in result.err


def test_a_choice_that_matches_nothing_ends_before_the_revision_is_built(benches: Benches, there: Benches) -> None:
    benches.add("odd")
    words = command(benches, there, "--cells", "nothing*")
    words[2] = words[2].replace("lambda *rest: Path(sys.argv[1])", "lambda *rest: sys.exit('it was built')")
    done = subprocess.run(words, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr.count("\n")) == (6, 1)
    assert "--cells nothing* matches no cell of spin" in done.stderr


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x", *arguments],
        check=True,
        capture_output=True,
    )


def test_what_is_no_checkout_has_no_such_revision_or_does_not_build_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(revision, "ROOT", tmp_path)
    monkeypatch.setattr(revision, "_KEPT", tmp_path / "build" / "revisions")
    monkeypatch.setattr("driver.prepare.build.ROOT", tmp_path)
    with pytest.raises(Problem, match="needs a git checkout"):
        revision.commit_of("HEAD")
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("nothing that builds")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "x")
    for name in ("nowhere", "--all"):
        with pytest.raises(Problem, match="there is no revision"):
            revision.commit_of(name)
    commit = revision.commit_of("HEAD")
    with pytest.raises(Problem) as raised:
        revision.build_benches(commit, [], Progress())
    assert "Could not read presets" in f"{raised.value}{capsys.readouterr().err}"  # newer CMakes say it in two lines

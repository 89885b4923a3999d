"""The allocator of the models: put before the C library's, seen to be there, and recorded."""

from __future__ import annotations

import json
import os
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import pytest

from driver.commands.main import main
from driver.machine import allocator
from driver.machine.allocator import Allocator
from driver.measure.run import Request
from tests.driver.conftest import Benches, Result


def preloaded(result: Result) -> dict[str, Any]:
    return {event["model"]: event["hello"].get("preload") for event in result.journal if event["event"] == "model"}


def installed(name: str) -> str:
    library = find_library(name)
    if library is None:
        pytest.skip(f"lib{name} is not installed: scripts/setup allocators")
    return library


def test_the_c_library_s_own_is_the_default_and_changes_nothing(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run()
    assert (result.code, result.run["run"]["allocator"]) == (0, "glibc")
    assert preloaded(result) == {"odd": os.environ.get("LD_PRELOAD")}


@pytest.mark.parametrize("name", allocator.ALLOCATORS[1:])
def test_another_is_in_every_model_and_in_no_server_and_stays_when_the_run_is_continued(
    benches: Benches, name: str
) -> None:
    library = installed(name)
    benches.add("odd")
    benches.add("even")
    seen = benches.folder / "seen"
    (benches.folder / "origin").write_text(
        f'#!/bin/sh\necho "has ${{LD_PRELOAD}}" >{seen}\necho http://127.0.0.1:12345\nexec cat >/dev/null\n'
    )
    (benches.folder / "origin").chmod(0o755)
    result = benches.run("--allocator", name)
    assert (result.code, result.run["run"]["allocator"]) == (0, name), result.err
    assert {(loaded or "").split(":")[0] for loaded in preloaded(result).values()} == {library}
    assert seen.read_text().strip() == f"has {os.environ.get('LD_PRELOAD', '')}".strip()
    assert Request.resumed(result.folder, None, []).allocator == Allocator(name, library)


def test_what_was_preloaded_before_stays_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "libother.so")
    assert Allocator("jemalloc", "libjemalloc.so.2").environment == {"LD_PRELOAD": "libjemalloc.so.2:libother.so"}
    assert Allocator("glibc").environment == {}


def test_a_model_that_runs_without_it_is_not_measured(benches: Benches) -> None:
    library = installed("jemalloc")
    benches.add("odd")
    benches.add("even")
    program = benches.folder / "bench_odd"
    program.write_text(program.read_text().replace("exec", "unset LD_PRELOAD; exec", 1))
    result = benches.run("--allocator", "jemalloc")
    reasons = {model["id"]: model["reason"] for model in result.run["models"]}
    assert (
        reasons["odd"].startswith(f"bench_odd runs without {library}, which the loader was told to put first")
        and not reasons["even"]
    )
    assert result.code == 4


def test_a_library_that_is_not_there_is_one_line_with_the_remedy(
    benches: Benches, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    benches.add("odd")
    monkeypatch.setattr(allocator, "find_library", lambda name: None)
    assert main(["run", "--allocator", "mimalloc", "--out", str(tmp_path / "out")], benches.folder) == 3
    assert (
        capsys.readouterr().err
        == "crossover: --allocator mimalloc: the loader finds no libmimalloc: run scripts/setup allocators\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_run_that_names_none_or_a_strange_one_is_continued_or_refused(benches: Benches) -> None:
    benches.add("odd")
    folder = benches.run().folder
    journal = folder / "samples.jsonl"
    first, rest = journal.read_text().split("\n", 1)
    for stored, expected in ((None, "glibc"), ("a new one", None)):
        event = {key: value for key, value in json.loads(first).items() if key != "allocator"} | (
            {"allocator": stored} if stored else {}
        )
        journal.write_text(f"{json.dumps(event)}\n{rest}")
        if expected:
            assert Request.resumed(folder, None, []).allocator.name == expected
        else:
            with pytest.raises(Exception, match="samples.jsonl"):
                Request.resumed(folder, None, [])

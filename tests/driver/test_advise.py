"""`crossover advise` as its users see it: the answer in lines, and one line with the right exit code for what cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver.advise import parse_memory, parse_time
from driver.command import main
from tests.reports import synthetic
from tests.reports.test_advice import AT_ONCE, blocking, mixed

QUESTION = ("advise", "--tasks", "500", "--wait", "8ms", "--compute", "20us")


def run_of(folder: Path, cells: list[dict[str, object]]) -> Path:
    workloads = [{"id": id, "class": "mixed" if id == "mixed" else "lessons"} for id in dict.fromkeys(str(cell["workload"]) for cell in cells)]
    document = synthetic.run(list(dict.fromkeys(str(cell["model"]) for cell in cells)), workloads, cells)
    for model in document["models"]:
        model["at_once"] = AT_ONCE[model["id"]]
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(document))
    return folder


def test_the_answer_has_the_choice_its_interval_the_rest_the_flip_and_the_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUESTION, "--run", str(run_of(tmp_path / "run", mixed()))]) == 0
    told = capsys.readouterr().out
    assert told.startswith("500 tasks at once, each waits 8.00 ms and computes 20.0 µs\n")
    assert "Recommended: thread_pool_wide: about" in told or "Recommended: event_loop: about" in told
    for part in ("95 % interval", "one after another (serial)", "flip", "Evidence: 6 measured mixed cases", "missed by a factor"):
        assert part in told
    assert "Outside" not in told
    assert "disturbed" not in told


def test_a_disturbed_run_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_of(tmp_path / "run", mixed())
    document = json.loads((folder / "run.json").read_text())
    document["noise"]["grade"] = "D"
    (folder / "run.json").write_text(json.dumps(document))
    assert main([*QUESTION, "--run", str(folder)]) == 0
    assert "! Other programs disturbed that run (grade D)" in capsys.readouterr().out


def test_a_question_beyond_the_measured_range_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_of(tmp_path / "run", mixed())
    assert main(["advise", "--tasks", "5000", "--wait", "20ms", "--compute", "200us", "--memory", "512M", "--run", str(folder)]) == 0
    assert "! Outside the measured range: wait 20.0 ms (measured 1.00 ms to 10.0 ms)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--tasks", "0"), "--tasks 0"),
        (("--tasks", "many"), "--tasks many"),
        (("--tasks", "1e3"), "--tasks 1e3"),
        (("--tasks", "1" * 400), "--tasks 1"),
        (("--wait", "20"), "--wait 20"),
        (("--wait", "-1ms"), "--wait"),
        (("--wait", "nan"), "--wait nan"),
        (("--compute", "2 ms"), "--compute 2 ms"),
        (("--compute", "999999s"), "--compute 999999s"),
        (("--memory", "lots"), "--memory lots"),
        (("--memory", "0M"), "--memory 0M"),
        (("--memory", "9" * 400), "is no size"),
        (("--run", "/no/such/run"), "/no/such/run"),
        (("--blocking-libary",), "--blocking-library"),
    ],
)
def test_what_is_no_question_is_refused_in_one_line(arguments: tuple[str, ...], names: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUESTION, *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert names in told.err


def test_a_question_with_a_part_missing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "--tasks", "5"]) == 2
    assert "--wait, --compute" in capsys.readouterr().err


def test_a_run_that_measured_nothing_of_the_kind_is_exit_code_6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUESTION, "--run", str(run_of(tmp_path / "a", blocking(event_loop=2)))]) == 6
    assert "scripts/crossover run --full" in capsys.readouterr().err
    assert main([*QUESTION, "--blocking-library", "--run", str(run_of(tmp_path / "b", mixed()))]) == 6
    assert "blocking_call" in capsys.readouterr().err


def test_a_run_that_cannot_be_read_is_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.json").write_text("{")
    assert main([*QUESTION, "--run", str(tmp_path)]) == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_times_and_sizes_are_read_with_their_units() -> None:
    assert [parse_time("--wait", text) for text in ("20ms", "1.5s", "200us", "30ns", "0")] == [2e7, 1.5e9, 2e5, 30, 0]
    assert [parse_memory(text) for text in ("512M", "2G", "1.5GiB", "1000", "64KB")] == [512 << 20, 2 << 30, 3 << 29, 1000, 64 << 10]

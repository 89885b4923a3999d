"""`crossover advise` as its users see it: the answer in lines, and one line with the right exit code for what cannot be
answered."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from driver.commands import mix
from driver.machine import host, noise
from driver.session import output
from driver.commands.question import parse_memory, parse_time
from driver.commands.main import main
from driver.session.preset import SECOND
from driver.problem import Exit
from tests.driver.conftest import Benches
from tests.reports.analysis.test_advice import SIZES, Cells, document, mixed, replies

QUESTION = ("advise", "--tasks", "1000", "--wait", "10ms", "--compute", "12us")
MEASURE = "scripts/crossover advise --tasks 1000 --wait 10ms --compute 12us --measure"


def run_of(folder: Path, cells: Cells, grade: str = "A", age_s: int = 0, **host_facts: object) -> Path:
    run = document(cells)
    run["host"] = host.host() | host_facts
    run["noise"]["grade"] = grade
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(run))
    os.utime(folder / "run.json", (1_700_000_000 - age_s,) * 2)
    return folder


def test_the_answer_has_its_evidence_the_choice_the_figures_and_what_they_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_of(tmp_path / "run", mixed())
    assert main([*QUESTION, "--run", str(folder)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "1,000 tasks at once, each waits 10.0 ms and computes 12.0 µs"
    assert lines[1] == f"from {folder}: quick run on 2 cores, grade A"
    assert lines[3].startswith("This was measured") and lines[3].endswith(" rounds.")
    assert lines[4].startswith("event_loop is the fastest of 3: ")
    assert any(line.startswith("event_loop  ") for line in lines)
    assert not any("Recommended" in line or "flip" in line or "disturbed" in line for line in lines)


def test_a_disturbed_run_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUESTION, "--run", str(run_of(tmp_path / "run", mixed(), "C"))]) == 0
    assert "\n! other programs disturbed most of the visits (grade C)" in capsys.readouterr().out


def test_a_run_under_too_much_load_has_no_advice_by_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_of(tmp_path / "run", mixed(), "D")
    assert main([*QUESTION, "--run", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "\nNo verdict: too much load: " in told
    assert "\nBy CPU cost, measured under that load: event_loop wins, 1." in told
    assert main(["advise", "--tasks", "300", "--wait", "5ms", "--compute", "30us", "--run", str(folder)]) == 0
    assert "nothing is estimated for it: too much load: " in capsys.readouterr().out


def test_a_question_beyond_the_measured_range_is_answered_with_the_command_that_measures_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_of(tmp_path / "run", mixed())
    assert (
        main(
            [
                "advise",
                "--tasks",
                "5000",
                "--wait",
                "20ms",
                "--compute",
                "200us",
                "--blocking-library",
                "--run",
                str(folder),
            ]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert "No advice: this mix was not measured, and nothing is estimated for it: wait 20.0 ms" in told
    assert (
        "\nMeasure it: scripts/crossover advise --tasks 5000 --wait 20ms --compute 200us --blocking-library --measure\n"
        in told
    )


def test_the_newest_run_that_knows_the_mix_answers_even_if_newer_ones_know_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("driver.machine.host.ROOT", tmp_path)
    results = tmp_path / "results"
    run_of(results / "replies", replies(70, event_loop=2), age_s=0)
    run_of(results / "one_case", mixed(sizes=SIZES[:1]), age_s=10)
    run_of(results / "all_cases", mixed(), age_s=20)
    run_of(results / "oldest", mixed(), age_s=30)
    assert main(QUESTION) == 0
    assert f"from {results / 'all_cases'}: " in capsys.readouterr().out
    assert main(["advise", "--tasks", "7", "--wait", "1s", "--compute", "0"]) == 0
    assert f"from {results / 'one_case'}: " in capsys.readouterr().out


def test_a_run_of_another_machine_answers_only_when_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("driver.machine.host.ROOT", tmp_path)
    theirs = run_of(tmp_path / "results" / "theirs", mixed(), cpu_model="another CPU", boot_id_hash="0")
    assert main(QUESTION) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert f"{theirs} was measured on another machine (CPU another CPU and " in told.err and MEASURE in told.err
    assert main([*QUESTION, "--run", str(theirs)]) == 0
    assert "\n! measured on another machine than this one (CPU another CPU and " in capsys.readouterr().out
    ours = run_of(tmp_path / "results" / "ours", mixed(), age_s=10)
    assert main(QUESTION) == 0
    told = capsys.readouterr()
    assert f"from {ours}: " in told.out and "another machine" not in told.out


def test_without_any_run_there_is_one_line_that_says_how_to_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("driver.machine.host.ROOT", tmp_path)
    assert main(QUESTION) == 2
    assert MEASURE in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--tasks", "0"), "--tasks 0"),
        (("--tasks", "many"), "--tasks many"),
        (("--tasks", "1e3"), "--tasks 1e3"),
        (("--tasks", "1000000000000"), "--tasks 1000000000000"),
        (("--tasks", "1" * 400), "--tasks 1"),
        (("--wait", "20"), "--wait 20"),
        (("--wait", "-1ms"), "--wait"),
        (("--wait", "nan"), "--wait nan"),
        (("--wait", "0", "--compute", "0ms"), "--wait 0 --compute 0"),
        (("--compute", "2 ms"), "--compute 2 ms"),
        (("--compute", "999999s"), "--compute 999999s"),
        (("--memory", "lots"), "--memory lots"),
        (("--memory", "0M"), "--memory 0M"),
        (("--memory", "0"), "--memory 0"),
        (("--memory", "9" * 400), "is not a size"),
        (("--run", "/no/such/run"), "/no/such/run"),
        (("--run", "."), "there is no run in ."),
        (("--measure", "--run", "."), "leave out --run"),
        (("--blocking-libary",), "--blocking-library"),
    ],
)
def test_what_is_no_question_is_refused_in_one_line(
    arguments: tuple[str, ...], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUESTION, *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert names in told.err


def test_a_question_with_a_part_missing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "--tasks", "5"]) == 2
    assert "--wait, --compute" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cells", "lacks"),
    [
        (replies(70, event_loop=2, fibers=2), "no mixed case was measured"),
        (mixed(models=("event_loop", "serial")), "mixed cases were measured on event_loop only"),
    ],
)
def test_a_run_that_leaves_nothing_to_compare_is_exit_code_6(
    tmp_path: Path, cells: Cells, lacks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_of(tmp_path / "run", cells)
    assert main([*QUESTION, "--run", str(folder)]) == 6
    told = capsys.readouterr().err
    assert told.startswith(f"crossover: {folder}: {lacks}") and told.endswith(f": {MEASURE} measures this very mix\n")


def test_a_run_without_serial_and_an_incomplete_one_are_answered_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_of(tmp_path / "run", mixed(models=("event_loop", "thread_pool_wide")))
    run = json.loads((folder / "run.json").read_text())
    run["run"]["complete"] = False
    (folder / "run.json").write_text(json.dumps(run))
    assert main([*QUESTION, "--run", str(folder)]) == 0
    assert "grade A, incomplete\n" in capsys.readouterr().out


def test_a_run_that_cannot_be_read_is_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.json").write_text("{")
    assert main([*QUESTION, "--run", str(tmp_path)]) == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_times_and_sizes_are_read_with_their_units() -> None:
    assert [parse_time("--wait", text) for text in ("20ms", "1.5s", "200us", "30ns", "0")] == [2e7, 1.5e9, 2e5, 30, 0]
    assert [parse_memory(text) for text in ("512M", "2G", "1.5GiB", "1000", "64KB")] == [
        512 << 20,
        2 << 30,
        3 << 29,
        1000,
        64 << 10,
    ]


@pytest.fixture
def mixing(benches: Benches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Benches:
    """Doubles that have mixed at any size, of which event_loop_threads is twice as fast; a step takes 2 ns."""
    monkeypatch.setattr(output, "ROOT", tmp_path)
    monkeypatch.setattr(mix, "_BUDGET_NS", 30 * SECOND)  # of which a quiet machine needs a few
    for limit in ("BACKGROUND", "STEAL", "STALL"):  # what others do here is none of a test's business
        monkeypatch.setattr(noise, f"NOISY_{limit}_SHARE", 2)
    usual: dict[str, Any] = {
        "class": "mixed",
        "workload": "mixed",
        "params": {"tasks": 1000, "wait_us": 0, "steps": 100_000, "in_flight": 1000},
    }
    times = {
        "serial": 200_000,
        "event_loop_threads": 50_000,
        "thread_pool_wide": 100_000,
        "thread_per_task": 300_000,
        "event_loop": 10_000,
    }
    for model, unit_ns in times.items():
        benches.add(
            model, unit_ns=unit_ns, cells={"wait": usual, "mixed": usual}, requests=str(tmp_path / f"{model}.requests")
        )
    return benches


def test_to_measure_is_to_run_that_very_mix_and_to_answer_from_it(
    mixing: Benches, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUESTION, "--measure"], benches=mixing.folder) == 0
    told = capsys.readouterr().out
    (folder,) = (tmp_path / "results").iterdir()
    assert told.startswith(f"measured into {folder}")
    assert "\nThis was measured: 1,000 tasks at once, each waits 10.0 ms and computes 12.0 µs; " in told
    assert "\nevent_loop_threads is the fastest of 3: " in told
    run = json.loads((folder / "run.json").read_text())
    assert {cell["model"] for cell in run["cells"]} == {"event_loop_threads", "thread_pool_wide", "thread_per_task"}
    assert {json.dumps(cell["params"]) for cell in run["cells"]} == {
        json.dumps({"tasks": 1000, "wait_us": 10_000, "steps": 6_000, "in_flight": 1000})
    }


def test_a_mix_that_is_soon_done_one_after_another_is_measured_so_too(mixing: Benches, tmp_path: Path) -> None:
    assert (
        main(["advise", "--tasks", "1000", "--wait", "0", "--compute", "1us", "--measure"], benches=mixing.folder) == 0
    )
    (folder,) = (tmp_path / "results").iterdir()
    assert "serial" in {cell["model"] for cell in json.loads((folder / "run.json").read_text())["cells"]}


def test_a_mix_that_the_workload_refuses_is_one_line(mixing: Benches, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["advise", "--tasks", "100001", "--wait", "1ms", "--compute", "0", "--measure"], benches=mixing.folder)
        == 2
    )
    assert "tasks is 100001: mixed takes from 1 to 100000" in capsys.readouterr().err


def test_a_measurement_that_was_interrupted_says_where_it_lies_and_gives_no_advice(
    mixing: Benches, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mix, "measure", lambda *_: (Path("results/half"), Exit.INTERRUPTED))
    assert main([*QUESTION, "--measure"], benches=mixing.folder) == 130
    assert (
        capsys.readouterr().out
        == "interrupted: what was measured is in results/half; scripts/crossover run --resume results/half continues\n"
    )


def test_a_measurement_in_which_too_little_fitted_says_what_to_ask_for(
    mixing: Benches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mix, "measure", lambda *_: (run_of(tmp_path / "run", mixed(models=("event_loop",))), Exit.OK))
    assert main([*QUESTION, "--measure"], benches=mixing.folder) == 6
    told = capsys.readouterr().err
    assert "on event_loop only, which leaves nothing to compare: ask for fewer tasks, " in told
    assert told.endswith("--workloads mixed --size tasks=1000,wait_us=10000,steps=6000 --time-budget 5m\n")


def test_a_mix_of_which_a_batch_takes_long_is_measured_for_longer(
    mixing: Benches, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[int] = []

    def note(request: Any, *_: object) -> tuple[Path, Exit]:
        budgets.append(request.preset.budget_ns)
        return Path("half"), Exit.INTERRUPTED

    monkeypatch.setattr(mix, "measure", note)
    monkeypatch.setattr(mix, "_BUDGET_NS", 30 * SECOND)
    for tasks, compute in ((1_000, "12us"), (5_000, "200us"), (100_000, "1ms")):
        main(["advise", "--tasks", str(tasks), "--wait", "0", "--compute", compute, "--measure"], benches=mixing.folder)
    assert budgets == [30 * SECOND, 36 * SECOND, 300 * SECOND]  # of three models


def test_without_serial_nothing_tells_what_a_step_takes(mixing: Benches, capsys: pytest.CaptureFixture[str]) -> None:
    (mixing.folder / "bench_serial").unlink()
    assert main([*QUESTION, "--measure"], benches=mixing.folder) == 3
    assert "serial is not built" in capsys.readouterr().err

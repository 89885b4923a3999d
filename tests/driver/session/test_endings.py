"""A run may end at any moment: nothing measured is lost, nobody's processes stay behind, and it can be continued."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import reports
from vocabulary.looks import LOOKS

from driver.machine.waiting import Waiter
from driver.problem import Problem
from driver.session.journal import Journal
from tests.driver.conftest import Benches, Result

Find = Callable[[int], set[int]]


def begin(benches: Benches, *arguments: str) -> subprocess.Popen[str]:
    out = benches.folder.parent / "out"
    command = benches.command("run", "--seed", "1", "--out", str(out), *arguments)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_samples(benches: Benches, count: int) -> None:
    journal = benches.folder.parent / "out" / "samples.jsonl"
    until = time.monotonic() + 30
    while not journal.exists() or journal.read_text().count('{"event":"sample"') < count:
        assert time.monotonic() < until, "the run does not get on"
        time.sleep(0.005)


def end_with(benches: Benches, child: subprocess.Popen[str], number: signal.Signals) -> Result:
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert "Traceback" not in err
    return Result(child.returncode, out, err, benches.folder.parent / "out")


def test_nothing_stays_behind_after_a_run_not_even_a_worker_that_left_session_and_parent(
    benches: Benches, sleepers_of: Find, temporary: Path
) -> None:
    seconds = 100_000 + os.getpid()
    benches.add("odd", children=seconds, fault={"do": "sample", "workload": "spin", "kind": "crash"})
    benches.add("even", children=seconds)
    assert benches.run().code == 4
    assert sleepers_of(seconds) == set()
    assert list(temporary.iterdir()) == []


def test_ctrl_c_leaves_a_valid_partial_result_and_no_process(benches: Benches, sleepers_of: Find) -> None:
    seconds = 200_000 + os.getpid()
    benches.add("odd", sleep_s=0.02, children=seconds)
    child = begin(benches)
    wait_for_samples(benches, 5)
    result = end_with(benches, child, signal.SIGINT)
    assert result.code == 130
    assert (result.run["run"]["complete"], result.run["run"]["stop_reason"]) == (False, "interrupted")
    assert sum(len(cell["samples"]) for cell in result.run["cells"]) >= 5
    assert "--resume" in result.err
    assert sleepers_of(seconds) == set()


def test_what_was_interrupted_between_two_looks_is_looked_at_once_more_at_what_there_is(benches: Benches) -> None:
    benches.add("odd", sleep_s=0.02, noise=0.03)
    benches.add("even", sleep_s=0.02, noise=0.03)
    child = begin(benches, "--workloads", "spin")
    wait_for_samples(benches, 2 * 15)
    result = end_with(benches, child, signal.SIGINT)
    assert result.code == 130
    assert LOOKS[1] < result.visits["spin/tasks:10/delay_us:5"] < LOOKS[2]
    reports.build(result.folder)
    (verdict,) = (
        entry
        for entry in json.loads((result.folder / "verdicts.json").read_text())["cases"]
        if entry["metric"] == "time"
    )
    assert (verdict["rounds"], verdict["looks"]) == (result.visits["spin/tasks:10/delay_us:5"], 3)
    again = benches.drive("run", "--resume", str(result.folder))
    assert again.code == 0, again.err
    again.check_whole()
    assert again.run["run"]["stop_reason"] in ("all cases are decided", "all rounds done")


def test_ctrl_c_while_a_bench_hangs_ends_at_once(benches: Benches) -> None:
    benches.grace_s = 30  # so long the driver would wait for it
    benches.add("odd", fault={"do": "sample", "workload": "wait", "kind": "hang_deaf", "skip": 4})
    child = begin(benches)
    wait_for_samples(benches, 2 * 3)  # and the calibration
    time.sleep(0.3)
    assert child.poll() is None
    begun = time.monotonic()
    assert end_with(benches, child, signal.SIGINT).code == 130
    assert time.monotonic() - begun < 5


def without_share(sample: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in sample.items() if key != "foreign_share"}


def test_a_resumed_run_takes_exactly_the_samples_that_are_missing(benches: Benches) -> None:
    benches.add("odd", sleep_s=0.005)
    benches.add("even", sleep_s=0.005)
    child = begin(benches)
    wait_for_samples(benches, 10)
    interrupted = end_with(benches, child, signal.SIGTERM)
    before = interrupted.cells
    result = benches.drive("run", "--resume", str(interrupted.folder))
    assert result.code == 0, result.err
    assert (result.run["run"]["complete"], result.run["run"]["stop_reason"]) == (True, "all cases are decided")
    assert {visited - 2 for visited in result.visits.values()} <= set(
        LOOKS
    ), "each case was decided at a look, and had the two rounds that might have contradicted it"
    result.check_whole()
    for name, cell in result.cells.items():
        taken = before[name]["samples"]  # the visit that was cut short got its share of foreign work at its end
        assert [without_share(sample) for sample in cell["samples"][: len(taken)]] == [
            without_share(sample) for sample in taken
        ]
        assert cell["iterations"] == before[name]["iterations"] or before[name]["iterations"] is None


def test_kill_9_at_any_moment_loses_at_most_the_sample_in_flight(benches: Benches, sleepers_of: Find) -> None:
    seconds = 300_000 + os.getpid()
    benches.add("odd", sleep_s=0.01, sizes=[10, 20], noise=0.03, children=seconds)
    benches.add("even", sleep_s=0.01, sizes=[10, 20], noise=0.03)
    folder = benches.folder.parent / "out"
    moments = random.Random(5)
    child = begin(benches)
    counts = [0]
    for _ in range(20):
        wait_for_samples(benches, counts[-1] + 1)
        time.sleep(moments.uniform(0, 0.08))
        child.kill()
        child.communicate()
        events = [json.loads(line) for line in (folder / "samples.jsonl").read_bytes().split(b"\n")[:-1]]
        taken = [(event["cell"], event["round"]) for event in events if event["event"] == "sample"]
        assert len(taken) == len(set(taken))
        counts.append(len(taken))
        child = subprocess.Popen(
            benches.command("run", "--resume", str(folder)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    assert counts == sorted(set(counts)), "every sitting was killed amid its samples"
    _, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    result = Result(0, "", "", folder)
    assert result.run["run"]["complete"]
    result.check_whole()


def test_the_time_budget_is_hard_and_too_few_rounds_are_not_complete(benches: Benches) -> None:
    benches.add("odd", fault={"do": "sample", "workload": "wait", "kind": "hang", "skip": 4})
    begun = time.monotonic()
    result = benches.run("--time-budget", "2s")
    assert time.monotonic() - begun < 6
    assert result.code == 0
    assert (result.run["run"]["complete"], result.run["run"]["stop_reason"]) == (False, "time budget")


def test_what_a_disk_cut_short_is_left_out_when_resuming(benches: Benches) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.run()
    journal: Path = result.folder / "samples.jsonl"
    lines = journal.read_bytes().split(b"\n")
    first_visit = next(number for number, line in enumerate(lines) if b'"event":"visit"' in line)
    journal.write_bytes(b"\n".join(lines[: first_visit + 2]) + b'\n{"event":"sample","cell":"sp')
    result = benches.drive("run", "--resume", str(result.folder))
    assert result.code == 0, result.err
    result.check_whole()


def test_a_journal_with_a_foreign_line_is_refused_by_its_number(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run()
    journal: Path = result.folder / "samples.jsonl"
    lines = journal.read_bytes().split(b"\n")
    lines[3] = b"hello"
    journal.write_bytes(b"\n".join(lines))
    again = benches.drive("run", "--resume", str(result.folder))
    assert again.code == 4
    assert "line 4 is not an event" in again.err
    assert journal.read_bytes() == b"\n".join(lines)


def test_a_full_disk_is_one_line_with_the_way_on_and_what_was_written_can_be_resumed(
    benches: Benches, sleepers_of: Find
) -> None:
    seconds = 400_000 + os.getpid()
    benches.add("odd", children=seconds)
    benches.add("even")
    out = benches.folder.parent / "out"
    command = benches.command("run", "--seed", "1", "--out", str(out))
    done = subprocess.run(
        ["/bin/bash", "-c", 'ulimit -f 12; exec "$@"', "bash", *command], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3
    assert (
        done.stderr
        == f"crossover: cannot write {out}/samples.jsonl: File too large: raise the limit of a file's size (ulimit -f),"
        f" then continue with scripts/crossover run --resume {out}\n"
    )
    assert sleepers_of(seconds) == set()
    result = benches.drive("run", "--resume", str(out))
    assert result.code == 0, result.err
    result.check_whole()


def test_a_run_is_not_continued_with_another_program(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run()
    before = (result.folder / "samples.jsonl").read_bytes()
    benches.add("odd", unit_ns=5)
    again = benches.drive("run", "--resume", str(result.folder))
    assert again.code == 2
    assert "odd was rebuilt" in again.err
    assert (result.folder / "samples.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (0, b'{"event":"run","at_ns":1}'),
        (
            0,
            b'{"event":"run","at_ns":1,"mode":"leisurely","time_budget_ns":1,"models":[],"workloads":[],"cores":1,'
            b'"seed":1,"programs":{}}',
        ),
        (2, b'{"event":"sample","at_ns":1}'),
        (2, b'{"event":"calibration","at_ns":"soon","cell":"spin/model:odd/tasks:10/delay_us:5"}'),
        (2, b"[1, 2]"),
        (2, b"\xff\xfe"),
    ],
)
def test_an_event_of_somebody_else_is_refused_by_its_number_and_nothing_is_overwritten(
    benches: Benches, number: int, line: bytes
) -> None:
    benches.add("odd")
    result = benches.run("--workloads", "spin", "--time-budget", "1s")
    journal: Path = result.folder / "samples.jsonl"
    lines = journal.read_bytes().split(b"\n")
    lines[number] = line
    journal.write_bytes(b"\n".join(lines))
    again = benches.drive("run", "--resume", str(result.folder))
    assert again.code == 4
    assert again.err == f"crossover: {journal} line {number + 1} is not an event of a run: fix or remove that line\n"
    assert journal.read_bytes() == b"\n".join(lines)


def test_a_run_that_still_goes_on_is_not_continued_by_a_second_driver(benches: Benches) -> None:
    benches.add("odd", sleep_s=0.05)
    child = begin(benches)
    wait_for_samples(benches, 2)
    folder = benches.folder.parent / "out"
    again = benches.drive("run", "--resume", str(folder))
    assert again.code == 3
    assert again.err == f"crossover: another run is still writing into {folder}: wait until it ends\n"
    assert end_with(benches, child, signal.SIGINT).code == 130


def test_a_run_is_not_continued_on_another_machine(benches: Benches) -> None:
    benches.add("odd")
    result = benches.run()
    journal = result.folder / "samples.jsonl"
    begun, *rest = journal.read_text().splitlines()
    event = json.loads(begun)
    for changed, code in (
        ({"mem_bytes": round(0.99 * event["host"]["mem_bytes"]), "hostname_hash": "another"}, 0),
        ({"cpu_model": "another"}, 2),
    ):
        journal.write_text("\n".join([json.dumps({**event, "host": event["host"] | changed}), *rest]) + "\n")
        again = benches.drive("run", "--resume", str(result.folder))
        assert again.code == code, again.err
    assert (
        again.err.startswith(f"crossover: the run in {result.folder} was started on another machine (CPU another and ")
        and again.err.count("\n") == 1
    )


def test_a_run_does_not_write_into_what_another_one_has_written_meanwhile(tmp_path: Path) -> None:
    Journal.to_begin(tmp_path).write({"event": "run", "at_ns": 0})
    with pytest.raises(Problem, match="another run has meanwhile written into"):
        Journal.to_begin(tmp_path)


def test_under_nohup_the_end_of_the_terminal_does_not_end_the_run() -> None:
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Waiter(lambda: 1.0) as waiter:
            os.kill(os.getpid(), signal.SIGHUP)
            waiter.check()
    finally:
        signal.signal(signal.SIGHUP, old)

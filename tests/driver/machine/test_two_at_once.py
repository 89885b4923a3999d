"""Two that are at work at once: builds of one checkout wait for each other, runs on one machine say that they were not
alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from driver.doctor.findings import MACHINE, found
from driver.machine.neighbours import Presence
from tests.driver.conftest import ROOT, Benches, Result
from tests.driver.session.test_endings import begin, end_with, wait_for_samples

ANOTHER = "another run of Crossover measured on this machine at the same time"
TESTS = "the tests of Crossover ran on this machine at the same time"

# Takes the lock in a build folder, says so, and holds it until its input ends. It tells what it waits for.
BUILD = f"""
import sys
from pathlib import Path
sys.dont_write_bytecode = True
sys.path.insert(0, {str(ROOT)!r})
from driver.prepare import checkout

class Progress:
    told = False
    def tell(self, what):
        if not self.told:
            print(what, flush=True)
        self.told = True

checkout._BUILD = Path(sys.argv[1])
with checkout.locked(Progress()):
    print("building", flush=True)
    sys.stdin.read()
"""


def build(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def ended(child: subprocess.Popen[str]) -> int:
    child.communicate(timeout=60)
    return child.returncode


@pytest.mark.parametrize("end", ["as it should", "killed"])
def test_a_second_build_of_a_checkout_waits_for_the_first(tmp_path: Path, end: str) -> None:
    first = build(tmp_path)
    assert line_of(first) == "building"
    second = build(tmp_path)
    assert line_of(second) == "waiting for another build of this checkout"
    if end == "killed":
        first.kill()
    assert ended(first) == (-signal.SIGKILL if end == "killed" else 0)
    assert line_of(second) == "building"
    assert ended(second) == 0


def test_the_first_build_of_a_fresh_checkout_makes_the_folder_of_its_lock(tmp_path: Path) -> None:
    first = build(tmp_path / "build")
    assert line_of(first) == "building"
    assert ended(first) == 0


def test_a_run_waits_while_scripts_test_builds(tmp_path: Path) -> None:
    """The two functions of that script, with a build that lasts until its input ends."""
    script = (ROOT / "scripts" / "test").read_text()
    function = script[script.index("alone() {") : script.index("\n}\n", script.index("alone() {")) + 2]
    tests = subprocess.Popen(
        ["bash", "-euc", f"{function}\nalone sh -c 'echo building; exec cat'"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert line_of(tests) == "building"
    second = build(tmp_path / "build")
    assert line_of(second) == "waiting for another build of this checkout"
    assert ended(tests) == 0
    assert line_of(second) == "building"
    assert ended(second) == 0


def warnings(folder: Path) -> list[str]:
    return list(Result(0, "", "", folder).run["noise"]["warnings"])


def test_of_two_runs_on_one_machine_each_says_that_it_was_not_alone(benches: Benches) -> None:
    benches.add("odd", sleep_s=0.5)
    folders = [benches.folder.parent / name for name in ("one", "other")]
    runs = [
        subprocess.Popen(
            benches.command("run", "--seed", "1", "--time-budget", "15s", "--out", str(folder)),
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    for run in runs:
        _, err = run.communicate(timeout=120)
        assert run.returncode in (0, 4, 6), err
    assert all(ANOTHER in warnings(folder) for folder in folders)


def test_doctor_names_a_run_that_measures_and_the_tests() -> None:
    kept = [Presence("run"), Presence("test")]
    (finding,) = [finding for name, finding in found(MACHINE) if name == "other runs"]
    assert (finding.level, finding.text) == ("warning", "another run measures now, the tests of Crossover run now")
    assert len(kept) == 2


def in_a_network_of_its_own(*command: str) -> list[str]:
    """Where nobody else's sockets are seen."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        pytest.skip("a network namespace is not ours to make")
    return ["unshare", "--net", *command]


def test_a_run_that_was_alone_says_nothing_of_others_and_one_beside_the_tests_does(benches: Benches) -> None:
    benches.add("odd")
    out = benches.folder.parent / "out"
    run = benches.command("run", "--seed", "1", "--time-budget", "10s", "--out")
    assert subprocess.run(in_a_network_of_its_own(*run, str(out)), capture_output=True, timeout=60).returncode == 0
    assert not {ANOTHER, TESTS} & {*warnings(out)}
    beside = (
        f"import subprocess, sys; sys.path.insert(0, {str(ROOT)!r}); from driver.machine.neighbours import Presence;"
        " kept = Presence('test'); sys.exit(subprocess.call(sys.argv[1:]))"
    )
    assert (
        subprocess.run(
            in_a_network_of_its_own(sys.executable, "-Bc", beside, *run, f"{out}2"), capture_output=True, timeout=60
        ).returncode
        == 0
    )
    assert TESTS in warnings(Path(f"{out}2")) and ANOTHER not in warnings(Path(f"{out}2"))


def test_a_program_that_is_built_anew_while_it_is_measured_is_told(benches: Benches) -> None:
    benches.add("odd", sleep_s=0.5)
    child = begin(benches)
    wait_for_samples(benches, 0)
    with open(benches.folder / "bench_odd", "a") as program:
        program.write("# anew\n")
    assert end_with(benches, child, signal.SIGINT).code == 130
    assert "built anew while they were measured: odd: samples may be of two programs" in warnings(
        benches.folder.parent / "out"
    )

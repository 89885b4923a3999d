"""Where a run may write and where it need not: a checkout that is read-only, homes and temporary folders that are not
there, names that are no text."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from driver.prepare import build, checkout
from driver.problem import Problem
from driver.session.journal import Journal
from tests.driver.conftest import ROOT, Benches, Result
from tests.driver.session.test_endings import begin, wait_for_samples

MOUNTS = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


class Checkout:
    """A copy of the driver and the reports, with doubles in place of what is built."""

    def __init__(self, folder: Path, benches: Benches) -> None:
        self.folder, self._benches = folder, benches
        for part in ("vocabulary", "verdicts", "driver", "reports"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("scripts/crossover", "workloads/all.hpp", "bench/serve-1.schema.json"):
            (folder / file).parent.mkdir()
            shutil.copy(ROOT / file, folder / file)
        built = folder / "build" / "release" / "bench"
        built.mkdir(parents=True)
        benches.add("odd")
        shutil.copy(benches.folder / "bench_odd", built)

    def run(self, out: Path, *before: str, environment: dict[str, str] | None = None) -> Result:
        """Through the launcher; `before` is what starts it."""
        command = [
            *before,
            self.folder / "scripts" / "crossover",
            "run",
            "--models",
            "odd",
            "--time-budget",
            "20s",
            "--out",
            out,
        ]
        done = subprocess.run(
            command, capture_output=True, env=environment or {**os.environ}, cwd=self._benches.folder, timeout=300
        )
        return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr), out)

    def read_only(self) -> list[str]:
        """What starts a command for which it is mounted so."""
        if not MOUNTS:
            pytest.skip("a mount namespace is not ours to make")
        mounts = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", mounts, str(self.folder)]


@pytest.fixture
def copy(tmp_path: Path, benches: Benches) -> Checkout:
    return Checkout(tmp_path / "checkout", benches)


def check_measured(result: Result) -> None:
    assert result.code == 0, result.err
    assert {cell["status"] for cell in result.run["cells"]} == {"ok"}
    assert (result.folder / "index.html").is_file() and "Traceback" not in result.err


def test_a_built_checkout_that_is_mounted_read_only_is_measured_and_reported(copy: Checkout, tmp_path: Path) -> None:
    result = copy.run(tmp_path / "out", *copy.read_only())
    check_measured(result)
    assert f"{copy.folder} cannot be written to: what was built there before is measured as it is\n" in result.err
    assert "built before the sources" not in (result.folder / "report.md").read_text()


def test_a_report_says_that_the_programs_of_a_read_only_checkout_are_older_than_its_sources(
    copy: Checkout, tmp_path: Path
) -> None:
    built = (copy.folder / "build" / "release" / "bench" / "bench_odd").stat().st_mtime
    os.utime(copy.folder / "workloads" / "all.hpp", (built + 60,) * 2)
    result = copy.run(tmp_path / "out", *copy.read_only())
    check_measured(result)
    assert (
        "built before the sources last changed, where nothing can be built: odd: "
        in (result.folder / "report.md").read_text()
    )


def test_what_is_not_built_in_a_read_only_checkout_is_named_in_one_line(copy: Checkout, tmp_path: Path) -> None:
    (copy.folder / "build" / "release" / "bench" / "bench_odd").rename(
        copy.folder / "build" / "release" / "bench" / "bench_even"
    )
    result = copy.run(tmp_path / "out", *copy.read_only())
    assert (result.code, result.err) == (
        3,
        f"crossover: odd is not built, and {copy.folder} cannot be written to: build in a checkout that can\n",
    )
    assert not (tmp_path / "out").exists()


def test_results_of_a_read_only_checkout_need_a_place_elsewhere(copy: Checkout) -> None:
    result = copy.run(copy.folder / "out", *copy.read_only())
    assert (result.code, result.err) == (
        3,
        (
            f"crossover: cannot write results into {copy.folder}: its file system is read-only: choose another folder"
            " with --out\n"
        ),
    )


def test_advice_that_is_to_be_measured_needs_a_checkout_that_can_be_written_to(copy: Checkout) -> None:
    command = [
        *copy.read_only(),
        copy.folder / "scripts" / "crossover",
        "advise",
        "--tasks",
        "10",
        "--wait",
        "1ms",
        "--compute",
        "1ms",
        "--measure",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (
        3,
        (
            f"crossover: cannot write results into {copy.folder}: its file system is read-only: measure in a checkout"
            " that can be written to\n"
        ),
    )


@pytest.mark.parametrize("environment", [{}, {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"}])
def test_without_a_home_and_without_a_temporary_folder_of_its_own_a_run_warns_of_nothing(
    copy: Checkout, tmp_path: Path, environment: dict[str, str]
) -> None:
    result = copy.run(tmp_path / "out", *copy.read_only(), environment={"PATH": os.environ["PATH"], **environment})
    check_measured(result)
    assert "matplotlib" not in result.err.lower()


def test_where_no_temporary_file_can_be_made_a_run_ends_in_one_line_before_it_measures(
    copy: Checkout, tmp_path: Path
) -> None:
    """Every folder that Python would take is read-only, and the present one, too; the results' is not."""
    start, results = copy.read_only(), tmp_path / "results"
    results.mkdir()
    closed = " && ".join(
        f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}" for folder in ("/tmp", "/var/tmp")
    )
    start[
        4
    ] = f"{closed} && mount --bind {results} {results} && mount -o remount,bind,rw {results} && cd /proc && {start[4]}"
    result = copy.run(results / "out", *start, environment={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    assert (result.code, result.err.count("\n")) == (3, 1), result.err
    assert (
        result.err.startswith(
            "crossover: this machine cannot measure: temporary files: No usable temporary directory found in ["
        )
        and "set TMPDIR" in result.err
    )


def test_a_temporary_folder_that_is_gone_amid_a_run_loses_nothing_that_was_measured(
    benches: Benches, temporary: Path
) -> None:
    benches.add("odd", sleep_s=0.5)
    child = begin(benches)
    wait_for_samples(benches, 1)
    folder = benches.folder.parent / "out"
    shutil.rmtree(temporary)
    events = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    # another would need a folder there
    os.kill(next(event["hello"]["pid"] for event in events if event["event"] == "model"), signal.SIGKILL)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 3
    assert err.count("\n") == 1 and f"fix that, then continue with scripts/crossover run --resume {folder}" in err
    journal = Journal.to_resume(folder)
    assert "sample" in {event["event"] for event in journal.read()}


NAMES = [b"\xff\xfe", "ünï ç".encode(), b"sp ace", b"-dash", b"(one) 100% @home, ~=!"]


def test_a_checkout_and_results_under_a_name_that_is_no_text_are_measured_and_reported(
    benches: Benches, tmp_path: Path
) -> None:
    name = b"-\xff " + b" ".join(NAMES)
    copy = Checkout(tmp_path / os.fsdecode(name), benches)
    git = ["git", "-C", copy.folder, "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "scripts"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    (copy.folder / "build").chmod(0o555)
    out = tmp_path / "results" / os.fsdecode(name)
    check_measured(
        copy.run(
            out,
            *copy.read_only(),
            environment={**os.environ, "LC_ALL": "C", "XDG_CACHE_HOME": os.fsdecode(os.fsencode(tmp_path) + b"/\xff")},
        )
    )
    assert len(json.loads((out / "run.json").read_text(encoding="utf-8"))["source"]["git_sha"]) == 40


@pytest.mark.parametrize(
    "name", ['"', ";", "\n", "#", "\\", "${HOME}", "$", "'", "&", "*", "?", "`", "\t", "|", "<", "[a]"]
)
def test_a_checkout_under_a_name_that_cmake_misreads_is_refused_in_one_line_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(checkout, "ROOT", tmp_path / f"a{name}b")
    monkeypatch.setattr(checkout, "is_writable", lambda: True)
    monkeypatch.setattr(build, "step", lambda *_: pytest.fail("something was begun"))
    with pytest.raises(Problem, match="confuses CMake: move the checkout"):
        build.prepare([], [], None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", map(os.fsdecode, NAMES))
def test_a_checkout_under_another_name_is_not_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(checkout, "ROOT", Path("/work") / name)
    checkout.check_name()


@pytest.mark.parametrize("name", [b"\xff\xfe", b"", "ünïcødé".encode(), 64 * b"x", b"a\nb<i>"])
def test_a_host_may_have_any_name(benches: Benches, tmp_path: Path, name: bytes) -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "--uts", "true"], capture_output=True).returncode:
        pytest.skip("a host name cannot be chosen here")
    benches.add("odd")
    rename = (
        "import socket, subprocess, sys; socket.sethostname(bytes.fromhex(sys.argv[1]));"
        " sys.exit(subprocess.call(sys.argv[2:]))"
    )
    command = [
        "unshare",
        "--uts",
        "/usr/bin/python3",
        "-c",
        rename,
        name.hex(),
        *benches.command("run", "--seed", "1", "--out", str(tmp_path / "out")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    result = Result(done.returncode, done.stdout, done.stderr, tmp_path / "out")
    assert result.code == 0, result.err
    assert len(result.run["host"]["hostname_hash"]) == 12

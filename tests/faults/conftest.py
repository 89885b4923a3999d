"""Drills: the real driver over real bench processes, with a look at what is left of processes and samples."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from vocabulary.outcomes import FAILURES

from tests.driver.conftest import ROOT, Benches, Result

BUILT = Path(os.environ.get("CROSSOVER_BENCHES", ROOT / "build" / "release" / "bench"))
MARK = "CROSSOVER_DRILL"
HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Beside the tests of the release build, where they wait while others compute."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


def built(name: str) -> Path:
    """A program of the release build. Without it the drill is skipped."""
    path = BUILT / name
    if not path.is_file():
        pytest.skip(f"{path} is not built: scripts/test builds it")
    return path


def until(what: str, true: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.01)


@dataclass
class Drill:
    benches: Benches
    out: Path
    behind: list[str] = field(default_factory=list)  # a command that begins the driver
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def use(self, *models: str) -> None:
        for model in models:
            (self.benches.folder / f"bench_{model}").symlink_to(built(f"bench_{model}"))

    def serve_http(self) -> None:
        (self.benches.folder / "origin").symlink_to(built("origin/origin"))

    def begin(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """A run into `out`; `options` are those of Popen. `env` adds to the environment."""
        return self.command(
            "run", "--seed", "1", "--time-budget", "100s", "--out", str(self.out), *arguments, **options
        )

    def command(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        temporary = str(self.benches.folder.parent)  # a driver that is killed leaves its temporary files
        own = {
            MARK: self.mark,
            "TMPDIR": temporary,
            "XDG_CACHE_HOME": f"{temporary}/cache",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        environment = {**os.environ, **own, **(env or {})}
        return subprocess.Popen(
            [*self.behind, *self.benches.command(*arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            **options,
        )

    def end(self, child: subprocess.Popen[str]) -> Result:
        """Its own end. One line for every error, and all that was measured in run.json, if there is one."""
        out, err = child.communicate(timeout=60)
        assert "Traceback" not in err, err
        result = Result(child.returncode, out, err, self.out)
        if (self.out / "run.json").exists():
            assert sum(len(cell["samples"]) for cell in result.run["cells"]) == len(self.samples())
        return result

    def stop(self, child: subprocess.Popen[str]) -> Result:
        """Ctrl-C, once the drill has seen what it wanted to see."""
        child.send_signal(signal.SIGINT)
        result = self.end(child)
        assert result.code == 130, result.err
        return result

    def samples(self) -> list[str]:
        return self.events("sample")

    def events(self, kind: str) -> list[str]:
        """Whole lines of the journal."""
        journal = self.out / "samples.jsonl"
        text = journal.read_text() if journal.exists() else ""
        return [
            line
            for line in text.splitlines(keepends=True)
            if line.startswith(f'{{"event":"{kind}"') and line.endswith("\n")
        ]

    def wait_for_samples(self, count: int) -> None:
        """In all."""
        until(f"sample {count}", lambda: len(self.samples()) >= count)

    def wait_for_more_samples(self, model: str, since_ns: int) -> None:
        def seen() -> bool:
            return any(
                sample["at_ns"] > since_ns and f"model:{model}/" in sample["cell"]
                for sample in map(json.loads, self.samples())
            )

        until(f"a sample of {model} after that", seen)

    def processes(self, name: str = "") -> list[int]:
        """All that the drill has started and that still runs, oldest first; those whose program is called `name`."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and f"{MARK}={self.mark}".encode() in Path("/proc", entry, "environ").read_bytes():
                    if Path("/proc", entry, "cmdline").read_bytes().split(b"\0")[0].endswith(name.encode()):
                        found.append(int(entry))
            except OSError:  # ended meanwhile, or another user's
                pass
        return sorted(found)

    def kill(self, pid: int, number: signal.Signals) -> bool:
        """False if it has ended meanwhile."""
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            if pid not in self.processes():  # the number may be another's by now
                return False
            signal.pidfd_send_signal(process, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(process)


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    folder = tmp_path / "benches"
    folder.mkdir()
    drill = Drill(Benches(folder), tmp_path / "out")
    yield drill
    left = drill.processes()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes were left behind"


def outcomes(result: Result, model: str, workload: str = "") -> set[str]:
    """Of the model's cells of one workload, or of all."""
    return {
        cell["status"]
        for cell in result.cells.values()
        if cell["model"] == model and cell["workload"].startswith(workload)
    }


def failed(result: Result) -> set[str]:
    """The cells that have failed. Others may not have been reached when the run was stopped."""
    return {id for id, cell in result.cells.items() if cell["status"] in FAILURES}


def failures(drill: Drill) -> list[dict[str, Any]]:
    return [json.loads(line) for line in drill.events("failure")]

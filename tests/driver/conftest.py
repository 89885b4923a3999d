"""Runs the driver as a program over doubles of the bench processes."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from reports.pages.validate import faults

from vocabulary.looks import LEAST_ROUNDS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# The command as it is, but with deadlines for doubles that answer at once, and a report that only says that it was
# asked for.
DRIVE = f"""
import sys
from dataclasses import replace
from pathlib import Path
sys.dont_write_bytecode = True
sys.path.insert(0, {str(ROOT)!r})
from driver.doctor import findings
from driver.machine import environment, noise
from driver.session import preset
environment.enter()
from driver.commands.main import main
noise.NOISY_BACKGROUND_SHARE = float(sys.argv[3])
noise.NOISY_STEAL_SHARE = noise.NOISY_STALL_SHARE = 2
findings.INSTALLED.clear()
for name, known in preset.PRESETS.items():
    preset.PRESETS[name] = replace(known, grace_ns=int(float(sys.argv[2]) * 1e9))

def draw(folder):
    (folder / "index.html").write_text("drawn")
    return []

sys.exit(main(sys.argv[4:], Path(sys.argv[1]), draw))
"""


@dataclass
class Result:
    code: int
    out: str
    err: str
    folder: Path

    @property
    def run(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "run.json").read_text()))

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        return {cell["id"]: cell for cell in self.run["cells"]}

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The events of the run, in order; without a line that was cut short."""
        return [json.loads(line) for line in (self.folder / "samples.jsonl").read_bytes().split(b"\n")[:-1]]

    @property
    def visits(self) -> Counter[str]:
        """How many rounds each case had."""
        return Counter(visit["case"] for visit in self.run["visits"])

    def check_whole(self, *bad: str) -> None:
        """Every cell but the bad ones has each round of its case once, and so many that a verdict can rest on them."""
        for name, cell in self.cells.items():
            if name not in bad:
                assert cell["status"] == "ok", (name, cell["reason"])
                assert [sample["round"] for sample in cell["samples"]] == list(range(self.visits[cell["case"]])), name
                assert len(cell["samples"]) >= LEAST_ROUNDS, name


@dataclass
class Benches:
    folder: Path
    grace_s: float = 3  # a busy machine is not a hang
    background_limit: float = 2  # beyond which a visit is disturbed; what others do here is none of a test's business

    def add(self, model: str, **config: Any) -> None:
        """A bench process of that name; see bench_double.py for its behaviour."""
        family = ("threads", "fibers", "tbb", "processes", "event_loop")[len(list(self.folder.glob("bench_*"))) % 5]
        text = json.dumps({"model": model, "family": family, "state": str(self.folder / f"{model}.state"), **config})
        path = self.folder / f"bench_{model}"
        path.write_text(f"#!/bin/sh\nexec {HERE / 'bench_double.py'} '{text}' \"$@\"\n")
        path.chmod(0o755)

    def add_server(self, name: str, output: str = "http://127.0.0.1:12345") -> Path:
        """A server that serves nothing; the file that it writes its process id to, one line per start."""
        pids = self.folder / f"{name}.pids"
        path = self.folder / name
        path.write_text(
            f"#!/bin/sh\necho $$ >{self.folder}/{name}.pid\necho $$ >>{pids}\necho {output}\nexec cat >/dev/null\n"
        )
        path.chmod(0o755)
        return pids

    def command(self, *arguments: str) -> list[str]:
        return [
            "/usr/bin/python3",
            "-Ic",
            DRIVE,
            str(self.folder),
            str(self.grace_s),
            str(self.background_limit),
            *arguments,
        ]

    def drive(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, env=env)
        assert "Traceback" not in done.stderr, done.stderr
        result = Result(done.returncode, done.stdout, done.stderr, self.folder.parent / "out")
        if (written := result.folder / "run.json").is_file():
            assert faults(written) == [], "what a run writes keeps to its schema"
        return result

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        return self.drive("run", "--seed", "1", "--out", str(self.folder.parent / "out"), *arguments, env=env)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: a driver that is killed with signal 9 leaves its own behind."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the driver keeps what cells cost, instead of in the user's own cache. It is made when there is something to
    keep."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def benches(tmp_path: Path, temporary: Path, cache: Path) -> Benches:
    folder = tmp_path / "benches"
    folder.mkdir()
    return Benches(folder)


@pytest.fixture
def sleepers_of() -> Callable[[int], set[int]]:
    """The processes whose command line is `sleep SECONDS`: what a double leaves behind."""

    def find(seconds: int) -> set[int]:
        found = set()
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    line = Path("/proc", entry, "cmdline").read_bytes()
                except OSError:
                    continue
                if line == f"/bin/sleep\0{seconds}\0".encode():
                    found.add(int(entry))
        return found

    return find

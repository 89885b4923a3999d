"""The examples that reports/README.md quotes do what it says."""

import json
import subprocess
from pathlib import Path

from tests.reports import synthetic

ROOT = Path(__file__).resolve().parents[3]


def winners(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/bin/python3", "-B", "-m", "reports.examples.winners", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_the_winner_of_each_case_is_printed_by_name(tmp_path: Path) -> None:
    cells = synthetic.measured({"fibers": (1e6, 1e6), "thread_pool": (2e6, 1e6)}, "w", {"n": 1}, 12, 0.01, 3)
    document = synthetic.run(["fibers", "thread_pool"], [{"id": "w", "class": "cpu"}], cells)
    (tmp_path / "run.json").write_text(json.dumps(document))
    done = winners(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("w n 1: fibers wins, ") and done.stdout.endswith("× ahead of thread_pool\n")


def test_a_folder_without_a_run_is_one_line(tmp_path: Path) -> None:
    done = winners(tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr

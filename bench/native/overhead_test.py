"""Runs the pairing on real benches, shortly, and looks at what it says. Arguments: the build folder and a model that has a sum_squares twin."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).with_name("overhead.py")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=100)


def main(build: str, model: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "overhead.json")
        done = run("--build", build, "--models", model, "--rounds", "6", "--sample-ms", "1", "--filter", "^sum_squares.*tasks:8/", "--full", "--out", str(out))
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(out.read_text())["pairs"]
    assert row["workload"] == "sum_squares" and row["model"] == model and row["params"]["tasks"] == 8, row
    assert set(row["resources"]) == {"suite", "native"} and row["instructions"] is None, row
    for metric in ("cpu_ns", "wall_ns"):
        values = row[metric]
        assert len(values["suite"]) == len(values["native"]) == 6 and min(values["suite"] + values["native"]) >= 0, values
    wall = row["wall_ns"]
    assert 0 < wall["low"] <= wall["ratio"] <= wall["high"], wall
    assert f"{row['workload']}/model:{model}/" in done.stdout, done.stdout

    none = run("--build", build, "--models", model, "--filter", "nothing_is_called_so")
    assert none.returncode == 6 and "nothing_is_called_so" in none.stderr, none
    missing = run("--build", str(SCRIPT.parent), "--models", model)
    assert missing.returncode == 3 and "not built" in missing.stderr and "Traceback" not in missing.stderr, missing


if __name__ == "__main__":
    main(*sys.argv[1:])

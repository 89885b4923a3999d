"""In a container as engines make it by default: io_uring refused, a small /dev/shm, limits of memory and processes."""

import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.faults.conftest import HERE, Drill, built, failed, outcomes
from tests.faults.container import reason_missing

MODELS = ("serial", "event_loop", "event_loop_uring", "process_pool", "thread_per_task")
NOBODY = 65534
PIDS = 300


def run_contained(drill: Drill, *options: str) -> None:
    """What its filter refuses is left out, the rest is measured within its limits."""
    drill.use(*MODELS)
    drill.behind = ["/usr/bin/python3", str(HERE / "container.py"), "--pids", str(PIDS), *options]
    result = drill.end(
        drill.command(
            "run",
            "--seed",
            "1",
            "--models",
            ",".join(MODELS),
            "--workloads",
            "sum_squares",
            "--time-budget",
            "10s",
            "--out",
            str(drill.out),
        )
    )
    assert result.code == 0, result.err
    models = {model["id"]: model for model in result.run["models"]}
    assert models["event_loop_uring"]["status"] == "unsupported" and "seccomp" in models["event_loop_uring"]["reason"]
    if "no limit by" not in result.err:  # a changed root may have no control groups
        assert models["thread_per_task"]["at_once"] <= PIDS
    assert not failed(result)
    assert any("ok" in outcomes(result, model) for model in MODELS)  # on a busy machine not all have their turn
    assert {models[model]["status"] for model in MODELS if model != "event_loop_uring"} == {"ok"}


def test_a_run_as_root_in_a_container_leaves_out_what_the_filter_refuses(drill: Drill) -> None:
    if reason := reason_missing():
        pytest.skip(reason)
    run_contained(drill)


def test_a_run_as_an_ordinary_user_in_a_container_leaves_out_what_the_filter_refuses(drill: Drill) -> None:
    if reason := reason_missing():
        pytest.skip(reason)
    try:
        subprocess.run([built("bench_serial"), "--help"], user=NOBODY, stdout=subprocess.DEVNULL, check=True)
    except PermissionError:
        pytest.skip("no other user may enter the folder of the benches here")
    with tempfile.TemporaryDirectory() as holder:  # not under tmp_path: that is closed to others
        folder = Path(holder, "benches")
        folder.mkdir()
        for each in (Path(holder), folder):
            each.chmod(0o777)
        drill.benches.folder, drill.out = folder, Path(holder, "out")
        run_contained(drill, "--user", str(NOBODY))

"""The wall clock is set back amid a run: nothing that is measured, and no deadline, depends on it."""

import subprocess
from datetime import datetime
from pathlib import Path

from tests.faults.conftest import Drill, failed, outcomes

HERE = Path(__file__).resolve().parent


def test_a_wall_clock_that_is_set_back_by_an_hour_changes_no_sample(drill: Drill, tmp_path: Path) -> None:
    drill.use("event_loop", "serial")
    stepping, step = tmp_path / "step_clock.so", tmp_path / "step"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", stepping, HERE / "step_clock.c", "-ldl"], check=True)
    child = drill.begin("--models", "event_loop,serial", env={"LD_PRELOAD": str(stepping), "CROSSOVER_STEP": str(step)})
    drill.wait_for_samples(6)
    step.touch()
    drill.wait_for_samples(len(drill.samples()) + 6)
    result = drill.stop(child)
    assert "ok" in outcomes(result, "event_loop") and not failed(result)
    run = result.run["run"]
    assert datetime.fromisoformat(run["finished_utc"]) < datetime.fromisoformat(
        run["started_utc"]
    ), "the clock was not set back"
    assert 0 < run["duration_ns"] < 600e9
    for cell in result.cells.values():
        starts = [sample["start_ns"] for sample in cell["samples"]]
        assert starts == sorted(starts)
        assert all(0 < sample["wall_ns"] < 60e9 for sample in cell["samples"])

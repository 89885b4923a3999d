"""The effect of other programs on a run: whether its times can be judged, and what a reader must know."""

from __future__ import annotations

from reports.cases import quantities
from reports.cases.run import Run

_FAVOURED = "load favours models with many threads, as each thread gets its turn on the cores"


def under_load(run: Run) -> bool:
    """Others disturbed so many visits (grade D) that time says who had more of the cores, not who is faster."""
    return run.noise.get("grade") == "D"


def withheld(run: Run, metric: str) -> str:
    """Why no verdict by that metric stands; empty where it does."""
    if metric not in ("time", "latency") or not under_load(run):
        return ""
    return f"too much load: {_disturbed(run)}, so {metric} is not judged; CPU cost is"


def judged_by(run: Run, deciding_metric: str) -> str:
    """By what a case whose workload is decided by that metric is told: by CPU cost where no verdict by time stands."""
    return "cpu" if withheld(run, deciding_metric) else deciding_metric


def warning(run: Run) -> str:
    """One line from grade C on; else empty."""
    if under_load(run):
        return f"{_disturbed(run)}: time is not judged, and CPU cost was measured under load; {_FAVOURED}"
    return f"{_disturbed(run)}: {_FAVOURED}" if run.noise.get("grade") == "C" else ""


def mark(run: Run) -> str:
    """Behind the name of a metric that is judged all the same."""
    return ", measured under load" if under_load(run) else ""


def _disturbed(run: Run) -> str:
    share = run.noise.get("noisy_share")
    told = quantities.percent(share) if isinstance(share, (int, float)) else "most"
    return f"other programs disturbed {told} of the visits (grade {run.noise['grade']})"

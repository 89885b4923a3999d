"""All that comes before measuring: refuses what doctor calls fatal, sets up, builds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from driver import build, findings
from driver.progress import Progress


def ready(models: Sequence[str], workloads: Sequence[str], benches: Path | None, progress: Progress, front: Sequence[str] = ()) -> Path:
    """The folder of the bench programs: of those `models`, or of all if none is named; `front` must be among them. `benches`: instead of the release build, which is built else."""
    findings.refuse(findings.MACHINE)
    if benches is None:
        build.prepare(models, workloads, progress, front)
        benches = build.BENCHES
    findings.refuse(findings.INSTALLED)
    return benches

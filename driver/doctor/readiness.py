"""The steps before measuring: refuse what doctor calls fatal, set up, build."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from driver.doctor import findings
from driver.prepare import build
from driver.progress import Progress


def ready(
    models: Sequence[str],
    workloads: Sequence[str],
    benches: Path | None,
    progress: Progress,
    front: Sequence[str] = (),
    few: Sequence[str] = (),
) -> Path:
    """The folder of the bench programs: of those `models`, if none is named of `few`, or of all; `front` must be among
    them. `benches`: instead of the release build, which is built else."""
    findings.refuse(findings.MACHINE)
    if benches is None:
        build.prepare(models, workloads, progress, front, few)
        benches = build.BENCHES
    findings.refuse(findings.INSTALLED)
    return benches

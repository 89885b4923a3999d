"""`crossover advise`: which model for this work? Answered from a run that is there, or by measuring the very mix that
is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from driver.commands.question import Request
from driver.doctor.readiness import ready
from driver.machine import host
from driver.problem import Exit
from driver.progress import Progress
from driver.session import output
from vocabulary.representatives import BASELINE, first_choices

_WORKLOAD = "mixed"
_BESIDE = ("event_loop_per_core", "thread_per_task")


def advise(options: argparse.Namespace, benches: Path | None, say: Callable[[str], None]) -> Exit:
    """`benches`: see driver.commands.main.main."""
    request, progress = Request.of(options), Progress()
    models = [*sorted(first_choices(_WORKLOAD)), *_BESIDE]
    if request.measure:
        output.check_writable(host.ROOT, "measure in a checkout that can be written to")
        benches = ready([*models, BASELINE], [_WORKLOAD], benches, progress)
    from driver.commands import answers  # not before: it needs numpy and SciPy, which ready() sets up

    if request.measure:
        assert benches is not None
        return answers.by_measuring(request, models, benches, progress, say)
    return answers.from_results(request, host.ROOT / "results", say)

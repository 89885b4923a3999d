"""`crossover check --against-built`: builds a second revision, measures its programs beside those that are built here,
and judges them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from driver.commands.terms import Terms
from driver.doctor.readiness import ready
from driver.machine import host
from driver.machine.allocator import GLIBC, Allocator
from driver.names import given_names
from driver.prepare import build, revision
from driver.prepare.request import Request
from driver.problem import Exit, Problem
from driver.progress import Progress
from driver.session import output, preset

_BUDGET_NS = 240 * preset.SECOND


def check(
    options: argparse.Namespace, arguments: Sequence[str], benches: Path | None, say: Callable[[str], None]
) -> Exit:
    """`benches`: see driver.commands.main.main."""
    if options.before is not None or options.metrics or options.allow_different_host:
        raise Problem(
            (
                "--against-built measures both programs itself: leave out BEFORE, AFTER, --metrics and"
                " --allow-different-host"
            ),
            Exit.USAGE,
        )
    terms, progress, commit = Terms.of(options), Progress(), revision.commit_of(options.against_built)
    request = _request(options, arguments)
    here = ready(request.models, request.workloads, benches, progress)
    # Not before: they need numpy and SciPy, which ready() sets up.
    from driver.commands.check import conclude
    from driver.measure import against
    from reports.cases.read import read_run
    from reports.comparison.interleaved import compare_built

    against.check_choice(request, build.programs(here), progress)
    there = revision.build_benches(commit, request.models, progress)
    folder, reason = against.measure_both(
        request,
        build.programs(here),
        against.Second(commit, build.programs(there)),
        build.servers(here),
        terms.threshold,
        progress,
    )
    progress.say(f"measured into {folder}")
    if reason == "interrupted":
        return Exit.INTERRUPTED
    comparison = compare_built(read_run(folder))
    if not comparison.changes and not comparison.lost and not comparison.unmeasured:
        raise Problem(
            f"{commit[:12]} and what is built here have no cell in common: nothing was measured", Exit.NOTHING_MATCHED
        )
    return conclude(comparison, terms, say)


def _request(options: argparse.Namespace, arguments: Sequence[str]) -> Request:
    budget = preset.parse_duration(options.time_budget) if options.time_budget else _BUDGET_NS
    output.check_writable(host.ROOT) if options.out is None else output.check_new(options.out)
    return Request(
        preset=preset.QUICK.with_budget(budget),
        cores=host.cores_of_run(None),
        allocator=Allocator.named(GLIBC),
        models=given_names("--models", options.models, "those of scripts/crossover list"),
        workloads=given_names("--workloads", options.workloads, "those of scripts/crossover list"),
        cells=given_names("--cells", options.cells, "cells of run.json"),
        out=options.out,
        command_line=["crossover", *arguments],
    )

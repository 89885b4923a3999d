"""`crossover run`: gets ready, measures, draws the report, and says what became of the cells."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from driver.doctor.readiness import ready
from driver.faults import in_one_line
from driver.machine import host
from driver.machine.allocator import GLIBC, Allocator
from driver.names import given_names
from driver.prepare import build
from driver.prepare.request import Front, Request, parse_size
from driver.problem import Exit, Problem
from driver.progress import Progress
from driver.session import output, preset
from vocabulary import outcomes
from vocabulary.files import RUN

_SHOWN_FAILURES = 10


def run(
    options: argparse.Namespace,
    arguments: Sequence[str],
    benches: Path | None,
    draw: Callable[[Path], Sequence[str]] | None,
    say: Callable[[str], None],
) -> Exit:
    """`benches` and `draw`: see driver.commands.main.main."""
    request = _request(options, arguments)
    progress = Progress()
    benches = ready(request.models, request.workloads, benches, progress, request.front.models, request.few_models)
    # Not before: they need numpy and SciPy, which ready() sets up.
    from driver.commands import report
    from driver.measure.run import measure
    from reports.analysis.claims import tested

    folder, verdict = measure(
        request, build.programs(benches, request.few_models), build.servers(benches), progress, tested
    )
    document = json.loads((folder / RUN).read_text(encoding="utf-8"))
    for line in _summary(folder, document):
        progress.say(line)
    if verdict == Exit.INTERRUPTED:
        progress.say(
            f"interrupted: what was measured is in {folder}; scripts/crossover run --resume {folder} continues"
        )
        return verdict
    progress.tell("drawing the report")
    for line in _drawn(folder, draw or report.draw):
        progress.say(line)
    progress.end()
    say(str(folder / "index.html"))
    return verdict


def _request(options: argparse.Namespace, arguments: Sequence[str]) -> Request:
    budget = preset.parse_duration(options.time_budget) if options.time_budget else None
    begun = (
        options.mode,
        options.models,
        options.workloads,
        options.size,
        options.cells,
        options.cores,
        options.allocator,
        options.seed,
        options.out,
        options.focus,
        options.against,
    )
    if options.resume is not None:
        if any(option not in (None, "") for option in begun):
            raise Problem("--resume continues a run with its own options: only --time-budget can be added", Exit.USAGE)
        return Request.resumed(options.resume, budget, ["crossover", *arguments])
    if options.seed is not None and options.seed < 0:
        raise Problem(f"--seed {options.seed} is negative", Exit.USAGE)
    if options.seed is not None and options.seed >= 1 << 63:
        raise Problem(f"--seed {options.seed} does not fit into 63 bits", Exit.USAGE)
    if options.size and not options.workloads:
        raise Problem(
            f"--size {options.size[0]} needs --workloads: name those that have these params, as in --workloads mixed",
            Exit.USAGE,
        )
    if options.out is None:
        output.check_writable(host.ROOT)
    else:
        output.check_new(options.out)
    front, models = Front(options.focus, options.against), given_names(
        "--models", options.models, "those of scripts/crossover list"
    )
    front.check_among(models)
    return Request(
        preset=preset.PRESETS[options.mode or "quick"].with_budget(budget),
        models=models,
        front=front,
        workloads=given_names("--workloads", options.workloads, "those of scripts/crossover list"),
        sizes=[parse_size(text) for text in options.size or ()],
        cells=[name for text in options.cells or () for name in given_names("--cells", text, "cells of run.json")],
        cores=host.cores_of_run(options.cores),
        allocator=Allocator.named(options.allocator or GLIBC),
        seed=options.seed,
        out=options.out,
        command_line=["crossover", *arguments],
    )


def _summary(folder: Path, document: Mapping[str, Any]) -> Iterator[str]:
    twins = {model["id"] for model in document["models"] if model.get("twin_of")}
    cells = document["cells"]
    yield f"measured into {folder}: {outcomes.counted(cell['status'] for cell in cells if cell['model'] not in twins)}"
    if not any(cell["samples"] for cell in cells):
        yield (
            f"nothing was measured: {document['run']['stop_reason']}: give it more time with --time-budget, or choose"
            " smaller work"
        )
    failed = [cell for cell in cells if cell["status"] in outcomes.FAILURES]
    for cell in failed[:_SHOWN_FAILURES]:
        yield f"    {cell['id']}: {cell['status'].replace('_', ' ')}: {cell['reason']}"
    if len(failed) > _SHOWN_FAILURES:
        yield f"    and {len(failed) - _SHOWN_FAILURES} more in {folder / RUN}"


def _drawn(folder: Path, draw: Callable[[Path], Sequence[str]]) -> Sequence[str]:
    """What was measured is not lost with its report."""
    try:
        with in_one_line():
            return draw(folder)
    except Problem as problem:
        raise Problem(
            f"{problem}; what was measured is in {folder / RUN}, and scripts/crossover report {folder} draws it",
            problem.code,
        ) from None

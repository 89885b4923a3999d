"""A run: from the chosen programs to the folder of its results."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from driver.machine import host
from driver.machine.noise import Watch
from driver.measure import document
from driver.measure.rounds import run_rounds
from driver.names import check_names
from driver.prepare.aa_control import floor
from driver.prepare.build import built_anew, fingerprints, older_than_sources
from driver.prepare.calibrate import set_arrival_rates
from driver.prepare.costs import Costs
from driver.prepare.plan import first_rounds
from driver.prepare.request import Request
from driver.prepare.selection import Tested, cells_of_run, nothing_tested
from driver.problem import Exit, Interrupted
from driver.progress import Progress
from driver.refusal import unexpected
from driver.session import output
from driver.session.cells import Cell, Event
from driver.session.checks import outcome
from driver.session.journal import Journal
from driver.session.processes import opened
from driver.session.record import Record, utc_now
from driver.session.session import Session
from vocabulary.outcomes import FAILURES

TOOL_VERSION = "0.1"


def measure(
    request: Request,
    programs: dict[str, Path],
    servers: dict[str, Path],
    progress: Progress,
    tested: Tested = nothing_tested,
) -> tuple[Path, Exit]:
    """The folder with samples.jsonl and a run.json that is valid even when interrupted, and how it went. `tested`: see
    select()."""
    check_names("model", [*request.models, *request.front.models], programs)
    wanted = request.models or (request.begun[0]["programs"] if request.begun else programs)
    chosen = {name: path for name, path in programs.items() if name in wanted}
    prints = fingerprints(chosen, request.begun)
    watch, here = Watch(), host.host()
    with opened(chosen, servers, request.cores, request.allocator, request.preset, progress) as processes:
        openings, cells = cells_of_run(request, processes, tested)
        costs = Costs(here, request.cores)
        cells = costs.recall(cells, prints, progress.say)
        folder = request.resume or output.make(request.out, request.preset.name)
        record = begin(request, here, folder, prints, openings, cells, progress.say)
        session = Session(processes, record)
        try:
            set_arrival_rates(session, cells)
            reason = run_rounds(session, cells, record.run["seed"])
            costs.keep(cells, prints)
        except Interrupted:
            reason = "interrupted"
        except OSError as error:
            raise unexpected(error, then=f"continue with scripts/crossover run --resume {folder}") from None
    complete = reason != "interrupted" and bool(record.visits) and not _short_of_rounds(record)
    end = {
        "finished_utc": utc_now(),
        "complete": complete,
        "stop_reason": reason,
        "noise": {
            **watch.report(record.visits, [*built_anew(prints, chosen), *older_than_sources(chosen)]),
            "aa_floor": floor(list(record.cells.values())),
        },
    }
    record.add({"event": "end", **end})
    document.write(folder, record)
    return folder, Exit.INTERRUPTED if reason == "interrupted" else _verdict(record)


def _short_of_rounds(record: Record) -> bool:
    """Some case has fewer rounds than a verdict needs, and the time was all that it lacked."""
    return any(
        record.visited[cell.case.name] < first_rounds(cell)
        for cell in record.cells.values()
        if cell.state.waits and not cell.shown_only
    )


def _verdict(record: Record) -> Exit:
    failed = any(outcome(cell)[0] in FAILURES for cell in record.cells.values())
    if failed or any(model.status == "failed" for model in record.models.values()):
        return Exit.CELL_FAILED
    return Exit.OK if any(cell.state.samples for cell in record.cells.values()) else Exit.NOTHING_MATCHED


def begin(
    request: Request,
    here: Event,
    folder: Path,
    programs: dict[str, str],
    openings: list[Event],
    cells: list[Cell],
    say: Callable[[str], None],
) -> Record:
    """The record, with the first events of a run, or of one that is resumed. `here`: the host."""
    journal = request.journal or Journal.to_begin(folder)
    if not journal.locked:
        say(f"the file system of {folder} has no locks: no second run must write there")
    record = Record(journal, {cell.id: cell for cell in cells})
    if request.begun:
        record.replay(request.begun)
        record.add({"event": "resumed", "resumed_utc": utc_now(), "time_budget_ns": request.preset.budget_ns})
    else:
        record.add(
            {
                "event": "run",
                "id": folder.resolve().name,
                "started_utc": utc_now(),
                "mode": request.preset.name,
                "seed": secrets.randbits(32) if request.seed is None else request.seed,
                "time_budget_ns": request.preset.budget_ns,
                "cores": request.cores,
                "allocator": request.allocator.name,
                "models": request.models,
                "workloads": request.workloads,
                "sizes": list(request.sizes),
                "cells": request.cells,
                "focus": request.front.focus or None,
                "against": request.front.against or None,
                "against_built": request.against_built or None,
                "programs": programs,
                "command_line": request.command_line,
                "tool_version": TOOL_VERSION,
                "source": host.source(),
                "host": here,
                "settings": host.settings(),
            }
        )
    for opening in openings:
        record.add(opening)
    return record

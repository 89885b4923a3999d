"""`crossover run`: from the chosen cells to results/<id>/ with its report."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from driver import build, document, environment, host, output
from driver.allocator import GLIBC, Allocator
from driver.cells import REPRESENTATIVE, VARIANT, Cell, Event
from driver.checks import outcome
from driver.costs import Costs
from driver.front import Front
from driver.journal import NAME, Journal, foreign
from driver.noise import Watch
from driver.pace import EXHAUSTIVE, PACES, Pace, Variants
from driver.plan import first_rounds
from driver.problem import Exit, Interrupted, Problem
from driver.progress import Progress
from driver.record import Record, utc_now
from driver.refusal import unexpected
from driver.selection import check_names, check_workloads, matching, select
from driver.saturation import pace_all
from driver.session import Session, opened
from driver.sizes import Size, described
from driver.twins import TWINS, floor, twins_of
from reports import same_machine
from reports.outcomes import FAILURES
from reports.representatives import Member

TOOL_VERSION = "0.1"


@dataclass
class Request:
    """What the user asked for."""

    pace: Pace
    cores: int  # that a model may use: the one number of the run
    allocator: Allocator
    models: list[str] = field(default_factory=list)
    workloads: list[str] = field(default_factory=list)
    sizes: Sequence[Size] = ()  # of these workloads, instead of those of the lists
    cells: list[str] = field(default_factory=list)  # patterns of ids, among the sizes of all lists
    seed: int | None = None
    out: Path | None = None
    resume: Path | None = None
    front: Front = Front()
    against_built: str = ""  # the commit whose programs are measured beside those of this one
    command_line: list[str] = field(default_factory=list)
    journal: Journal | None = None  # of the run that is resumed
    begun: list[Event] = field(default_factory=list)  # what stands in it

    @classmethod
    def resumed(cls, folder: Path, budget_ns: int | None, command_line: list[str]) -> Request:
        """As the run was begun."""
        if (folder / NAME).is_file():
            output.check_writable(folder, "make that possible, or begin a new run")
        journal = Journal.to_resume(folder)
        events = journal.read()
        if events[0].get("against_built"):
            raise Problem(f"the run in {folder} is a check against another revision, which is not resumed: begin it anew", Exit.USAGE)
        try:
            run = events[0]
            pace = PACES[run["mode"]].with_budget(budget_ns or int(run["time_budget_ns"]))
            if not isinstance(run["programs"], dict) or not isinstance(run["host"], dict):
                raise TypeError
            if differences := same_machine.differences(run["host"], host.host()):
                raise Problem(f"the run in {folder} was begun on another machine than this ({'; '.join(differences)}): begin a new run here", Exit.USAGE)
            _check_variables(dict(run["settings"]["env"]))
            cores, allocator = host.cores_of_run(int(run["cores"])), Allocator.named(run.get("allocator", GLIBC))
            sizes, cells = [dict(size) for size in run.get("sizes", [])], list(run.get("cells", []))
            models, workloads = list(run["models"]), list(run["workloads"])
            front = Front(run.get("focus") or "", run.get("against") or "")
            return cls(pace, cores, allocator, models, workloads, sizes, cells, int(run["seed"]), None, folder, front, "", command_line, journal, events)
        except (KeyError, TypeError, ValueError):
            raise foreign(journal.path, 1) from None


def _check_variables(before: Mapping[str, str]) -> None:
    """Samples of two settings must not be mixed."""
    now = environment.telling()
    for name in sorted({*filter(environment.is_telling, before), *now}):
        if before.get(name) != now.get(name):
            old, new = (f"{name}={those[name]}" if name in those else f"no {name}" for those in (before, now))
            raise Problem(f"that run was begun with {old} in the environment, and now there is {new}: set it as it was, or begin a new run", Exit.USAGE)


def measure(request: Request, programs: dict[str, Path], servers: dict[str, Path], progress: Progress) -> tuple[Path, Exit]:
    """The folder with samples.jsonl and a run.json that is valid even when interrupted, and how it went."""
    from driver.rounds import run_rounds  # needs numpy and scipy, which scripts/setup brings

    check_names("model", [*request.models, *request.front.models], programs)
    wanted = request.models or (request.begun[0]["programs"] if request.begun else programs)
    chosen = {name: path for name, path in programs.items() if name in wanted}
    prints = fingerprints(chosen, request.begun)
    watch = Watch()
    with opened(chosen, servers, request.cores, request.allocator, request.pace, progress) as session:
        try:
            openings, _, cells = choose(request, session, request.pace.variants)
            for cell in cells:
                cell.named = bool(request.models or request.workloads or request.sizes or request.cells)
            request.front.check_chosen({cell.model for cell in cells if cell.status != "unsupported"})
            openings = session.keep(openings, {cell.model for cell in cells})
            control = _control(cells, request.pace)
            cells = sorted(cells + control, key=lambda cell: cell.rank)
            openings += session.add_twins({TWINS[model]: model for model in TWINS if any(cell.model == TWINS[model] for cell in control)}, openings)
            folder = request.resume or output.make(request.out, request.pace.name)
            session.begin(begin(request, folder, prints, openings, cells, progress.say))
            costs = Costs(session.record.run["host"], session.record.run["cores"])
            costs.recall(cells, prints, progress.say)
            pace_all(session, cells)
            reason = run_rounds(session, cells, session.record.run["seed"])
            costs.keep(cells, prints)
        except Interrupted:
            if not hasattr(session, "record"):
                raise
            reason = "interrupted"
        except OSError as error:
            if not hasattr(session, "record"):
                raise
            raise unexpected(error, then=f"go on with scripts/crossover run --resume {folder}") from None
    record = session.record
    complete = reason != "interrupted" and bool(record.visits) and not _short_of_rounds(record)
    end = {"finished_utc": utc_now(), "complete": complete, "stop_reason": reason, "noise": {**watch.report(record.visits, built_anew(prints, chosen)), "aa_floor": floor(list(record.cells.values()))}}
    record.add({"event": "end", **end})
    document.write(folder, record)
    return folder, Exit.INTERRUPTED if reason == "interrupted" else _verdict(record)


def choose(request: Request, session: Session, usual: Variants, is_own: Callable[[str], bool] = lambda model: True) -> tuple[list[Event], list[Cell], list[Cell]]:
    """Opens the processes: their model events, all cells that they offer, and those that were asked for of the own models. `usual`: the variants where neither models nor cells are named."""
    listed = EXHAUSTIVE.name if request.sizes or request.cells else request.pace.name
    openings, offered = session.open(None if listed == EXHAUSTIVE.name else listed)
    check_workloads(request.workloads, build.all_workloads(), session.offered)
    if request.sizes:
        openings, offered = described(session, openings, request.workloads, request.sizes)
    own = [cell for cell in offered if is_own(cell.model)]
    if request.cells:
        own = matching(own, request.cells, request.workloads)
    variants = Variants.ALL if request.models or request.cells else usual
    members = _members([event for event in openings if is_own(event["model"])])
    return openings, offered, select(own, members, listed, request.workloads, variants, request.front.models)


def _members(openings: Sequence[Event]) -> list[Member]:
    hellos = {event["model"]: event["hello"] for event in openings if event.get("hello")}
    return [Member(model, hello["family"], hello["variant_of"], hello.get("engineering") == "textbook", hello.get("native_of", "")) for model, hello in hellos.items()]


def _control(cells: list[Cell], pace: Pace) -> list[Cell]:
    """In quick only where there is time left for it."""
    return twins_of(cells, VARIANT if pace.variants == Variants.NONE else REPRESENTATIVE)


def fingerprints(programs: dict[str, Path], begun: list[Event]) -> dict[str, str]:
    """Of every bench program. Samples of two programs must not be mixed, and git does not know what was built."""
    found = {name: _fingerprint(path) for name, path in programs.items()}
    for name, before in (begun[0]["programs"] if begun else {}).items():
        if found.get(name) != before:
            raise Problem(f"{name} was built anew, or left out, since that run was begun: begin a new run, or check out what it was begun with", Exit.USAGE)
    return found


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def built_anew(prints: Mapping[str, str], programs: Mapping[str, Path]) -> list[str]:
    """A warning where the program of a model is not what it was when the run began."""
    changed = [name for name, path in programs.items() if _print_now(path) != prints[name]]
    return [f"built anew while they were measured: {', '.join(changed)}: samples may be of two programs"] if changed else []


def _print_now(path: Path) -> str:
    try:
        return _fingerprint(path)
    except OSError:  # gone
        return ""


def begin(request: Request, folder: Path, programs: dict[str, str], openings: list[Event], cells: list[Cell], say: Callable[[str], None]) -> Record:
    journal = request.journal or Journal.to_begin(folder)
    if not journal.locked:
        say(f"the file system of {folder} has no locks: no second run must write there")
    record = Record(journal, {cell.id: cell for cell in cells})
    if request.begun:
        record.replay(request.begun)
        record.add({"event": "resumed", "resumed_utc": utc_now(), "time_budget_ns": request.pace.budget_ns})
    else:
        record.add(
            {
                "event": "run",
                "id": folder.resolve().name,
                "started_utc": utc_now(),
                "mode": request.pace.name,
                "seed": secrets.randbits(32) if request.seed is None else request.seed,
                "time_budget_ns": request.pace.budget_ns,
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
                "host": host.host(),
                "settings": host.settings(),
            }
        )
    for opening in openings:
        record.add(opening)
    return record


def _short_of_rounds(record: Record) -> bool:
    """Some case has fewer rounds than a verdict needs, and the time was all that it lacked."""
    return any(record.visited[cell.case.name] < first_rounds(cell) for cell in record.cells.values() if cell.waits and not cell.shown_only)


def _verdict(record: Record) -> Exit:
    failed = any(outcome(cell)[0] in FAILURES for cell in record.cells.values())
    if failed or any(model.status == "failed" for model in record.models.values()):
        return Exit.CELL_FAILED
    return Exit.OK if any(cell.samples for cell in record.cells.values()) else Exit.NOTHING_MATCHED

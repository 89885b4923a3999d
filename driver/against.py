"""`crossover check --against-built`: measures the programs of a second revision beside those that are built here, in the same rounds, and judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from driver import document, host, output
from driver.cells import BEFORE, Cell, Event
from driver.check import Say, Terms, conclude
from driver.noise import Watch
from driver.problem import Exit, Interrupted, Problem
from driver.progress import Progress
from driver.run import Request, begin, built_anew, choose, fingerprints
from driver.record import utc_now
from driver.saturation import pace_all
from driver.selection import check_names
from driver.session import Session, opened
from driver.pace import Variants
from driver.pair import Pair

BUDGET_NS = 240_000_000_000


@dataclass(frozen=True)
class Second:
    """A revision whose programs are built."""

    commit: str
    programs: Mapping[str, Path]  # by model

    def named(self, model: str) -> str:
        return f"{model}{BEFORE}{self.commit[:7]}"


def check(request: Request, here: Mapping[str, Path], second: Second, servers: dict[str, Path], terms: Terms, progress: Progress, say: Say) -> Exit:
    from reports.interleaved import compare_built
    from reports.read import read_run

    folder, reason = _measure(request, here, second, servers, terms.threshold, progress)
    progress.say(f"measured into {folder}")
    if reason == "interrupted":
        return Exit.INTERRUPTED
    comparison = compare_built(read_run(folder))
    if not comparison.changes and not comparison.lost and not comparison.unmeasured:
        raise Problem(f"{second.commit[:12]} and what is built here have no cell in common: nothing was measured", Exit.NOTHING_MATCHED)
    return conclude(comparison, terms, say)


def _measure(request: Request, here: Mapping[str, Path], second: Second, servers: dict[str, Path], threshold: float, progress: Progress) -> tuple[Path, str]:
    from driver.interleaved import run_interleaved  # needs numpy and scipy, which scripts/setup brings

    chosen = _chosen(request, here)
    befores = {second.named(name): second.programs[name] for name in chosen if name in second.programs}
    programs = chosen | befores
    prints = fingerprints(programs, [])
    watch = Watch()
    with opened(programs, servers, request.cores, request.allocator, request.pace, progress) as session:
        try:
            openings, offered, own = choose(request, session, Variants.NONE, _is_own)
            own_openings = [event for event in openings if _is_own(event["model"])]
            there = {(cell.case.name, cell.model): cell for cell in offered if not _is_own(cell.model)}
            pairs = [Pair(cell, other) for cell in own if (other := there.get((cell.case.name, second.named(cell.model))))]
            able = [pair for pair in pairs if all(cell.status == "ok" for cell in pair.cells) and pair.now.units == pair.before.units]
            cells = [*own, *(pair.before for pair in pairs)]
            broken = {second.named(event["model"]) for event in own_openings if event.get("status", "ok") != "ok"}  # whose program could be started before tells what is lost
            openings = [_told(event, second) for event in session.keep(openings, {cell.model for cell in cells} | broken)]
            folder = output.make(request.out, "check")
            session.begin(begin(replace(request, against_built=second.commit), folder, prints, openings, cells, progress.say))
            _leave_out(session, own, able, second)
            pace_all(session, [cell for pair in able for cell in pair.cells])
            reason = run_interleaved(session, able, threshold, session.record.run["seed"])
        except Interrupted:
            if not hasattr(session, "record"):
                raise
            reason = "interrupted"
    record = session.record
    complete = reason != "interrupted" and bool(record.visits)
    noise = watch.report(record.visits, built_anew(prints, programs))
    for warning in noise["warnings"]:  # no report shows them
        progress.say(f"! {warning}")
    record.add({"event": "end", "finished_utc": utc_now(), "complete": complete, "stop_reason": reason, "noise": {**noise, "aa_floor": None}})
    document.write(folder, record)
    return folder, reason


def check_choice(request: Request, here: Mapping[str, Path], progress: Progress) -> None:
    """Before another revision is built: that something is chosen at all."""
    with opened(_chosen(request, here), {}, request.cores, request.allocator, request.pace, progress) as session:
        choose(request, session, Variants.NONE)


def _chosen(request: Request, here: Mapping[str, Path]) -> dict[str, Path]:
    check_names("model", request.models, here)
    return {name: path for name, path in here.items() if not request.models or name in request.models}


def _is_own(model: str) -> bool:
    """Of a program that is built here."""
    return BEFORE not in model


def _told(event: Event, second: Second) -> Event:
    model, _, revision = event["model"].partition(BEFORE)
    return {**event, "before_of": model} if revision and event["event"] == "model" else event


def _leave_out(session: Session, own: Sequence[Cell], able: Sequence[Pair], second: Second) -> None:
    measured = {pair.now.id for pair in able}
    for cell in own:
        if cell.id not in measured and cell.status == "ok":
            session.record.add({"event": "left_out", "cell": cell.id, "reason": f"{second.commit[:7]} has no such cell, or owes other work in it"})

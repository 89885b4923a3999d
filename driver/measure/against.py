"""Measures the programs of a second revision beside those that are built here, in the same rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from driver.machine import host
from driver.machine.noise import Watch
from driver.measure import document
from driver.measure.interleaved import Pair, run_interleaved
from driver.measure.run import begin
from driver.names import check_names
from driver.prepare.build import built_anew, fingerprints
from driver.prepare.calibrate import set_arrival_rates
from driver.prepare.request import Request
from driver.prepare.selection import choose
from driver.problem import Interrupted
from driver.progress import Progress
from driver.session import output
from driver.session.cells import BEFORE, Cell, Event
from driver.session.preset import Variants
from driver.session.processes import opened
from driver.session.record import Record, utc_now
from driver.session.session import Session


@dataclass(frozen=True)
class Second:
    """A revision whose programs are built."""

    commit: str
    programs: Mapping[str, Path]  # by model

    def named(self, model: str) -> str:
        """The name that the program of the model has in the run."""
        return f"{model}{BEFORE}{self.commit[:7]}"


def check_choice(request: Request, here: Mapping[str, Path], progress: Progress) -> None:
    """Before another revision is built: that something is chosen at all."""
    with opened(_chosen(request, here), {}, request.cores, request.allocator, request.preset, progress) as processes:
        choose(request, processes, Variants.NONE)


def measure_both(
    request: Request,
    here: Mapping[str, Path],
    second: Second,
    servers: dict[str, Path],
    threshold: float,
    progress: Progress,
) -> tuple[Path, str]:
    """Measures both programs of every model: the folder of the results, and why it stopped."""
    chosen = _chosen(request, here)
    befores = {second.named(name): second.programs[name] for name in chosen if name in second.programs}
    programs = chosen | befores
    prints = fingerprints(programs, [])
    watch = Watch()
    with opened(programs, servers, request.cores, request.allocator, request.preset, progress) as processes:
        openings, offered, own = choose(request, processes, Variants.NONE, _is_own)
        own_openings = [event for event in openings if _is_own(event["model"])]
        there = {(cell.case.name, cell.model): cell for cell in offered if not _is_own(cell.model)}
        pairs = [Pair(cell, other) for cell in own if (other := there.get((cell.case.name, second.named(cell.model))))]
        able = [
            pair
            for pair in pairs
            if all(cell.state.status == "ok" for cell in pair.cells) and pair.now.units == pair.before.units
        ]
        cells = [*own, *(pair.before for pair in pairs)]
        # whose program could be started before tells what is lost
        broken = {second.named(event["model"]) for event in own_openings if event.get("status", "ok") != "ok"}
        openings = [_told(event, second) for event in processes.keep(openings, {cell.model for cell in cells} | broken)]
        folder = output.make(request.out, "check")
        record = begin(
            replace(request, against_built=second.commit), host.host(), folder, prints, openings, cells, progress.say
        )
        session = Session(processes, record)
        try:
            _leave_out(record, own, able, second)
            set_arrival_rates(session, [cell for pair in able for cell in pair.cells])
            reason = run_interleaved(session, able, threshold, record.run["seed"])
        except Interrupted:
            reason = "interrupted"
    complete = reason != "interrupted" and bool(record.visits)
    noise = watch.report(record.visits, built_anew(prints, programs))
    for warning in noise["warnings"]:  # no report shows them
        progress.say(f"! {warning}")
    record.add(
        {
            "event": "end",
            "finished_utc": utc_now(),
            "complete": complete,
            "stop_reason": reason,
            "noise": {**noise, "aa_floor": None},
        }
    )
    document.write(folder, record)
    return folder, reason


def _chosen(request: Request, here: Mapping[str, Path]) -> dict[str, Path]:
    check_names("model", request.models, here)
    return {name: path for name, path in here.items() if not request.models or name in request.models}


def _is_own(model: str) -> bool:
    """Of a program that is built here."""
    return BEFORE not in model


def _told(event: Event, second: Second) -> Event:
    model, _, revision = event["model"].partition(BEFORE)
    return {**event, "before_of": model} if revision and event["event"] == "model" else event


def _leave_out(record: Record, own: Sequence[Cell], able: Sequence[Pair], second: Second) -> None:
    measured = {pair.now.id for pair in able}
    for cell in own:
        if cell.id not in measured and cell.state.status == "ok":
            record.add(
                {
                    "event": "left_out",
                    "cell": cell.id,
                    "reason": f"{second.commit[:7]} has no such cell, or owes other work in it",
                }
            )

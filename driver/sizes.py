"""Sizes beside those of the lists: how they are written on the command line, and the cells that models describe at them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from driver.cells import LOADS, Case, Cell, Event, Malformed, cells_of_row
from driver.problem import Exit, Problem
from driver.selection import check_names
from driver.session import Session

Size = Mapping[str, int]  # some params of a workload; the models fill in the others
_EXAMPLE = "write --size tasks=5000,wait_us=20000"


def parse_size(text: str) -> Size:
    size: dict[str, int] = {}
    for part in text.split(","):
        name, _, value = (side.strip() for side in part.partition("="))
        if not name or not value:
            raise Problem(f"--size {text} does not give params their values: {_EXAMPLE}", Exit.USAGE)
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise Problem(f"--size {text}: {name} is {value}, no whole number from 0: {_EXAMPLE}", Exit.USAGE)
        if name in size:
            raise Problem(f"--size {text} names {name} twice: give --size once for each size", Exit.USAGE)
        size[name] = int(value)
    return size


def described(session: Session, openings: Sequence[Event], workloads: Sequence[str], sizes: Sequence[Size]) -> tuple[list[Event], list[Cell]]:
    """The model events, and the cells at these sizes of all models that have the workloads. A model that cannot be asked for a size is left out, with the reason."""
    for workload in workloads:
        row = next(iter(session.offered[workload].values()))
        for size in sizes:
            _check(workload, row, size)
    known: dict[tuple[str, str], Case] = {}
    cells: list[Cell] = []
    refusals: dict[str, str] = {}
    faults: dict[str, str] = {}
    for model in sorted({model for workload in workloads for model in session.offered[workload]}):
        own: list[Cell] = []
        for workload in (workload for workload in workloads if model in session.offered[workload]):
            for size in sizes:
                answer = session.describe(model, workload, size)
                try:
                    if answer.outcome == "ok":
                        own += cells_of_row(answer.body.get("cell"), known, model)
                    elif answer.outcome == "usage":
                        refusals.setdefault(model, answer.reason)
                    else:
                        faults.setdefault(model, answer.reason)
                except Malformed as malformed:
                    faults.setdefault(model, f"its description of a cell does not keep to the protocol: {malformed}")
        if model not in refusals and model not in faults:
            cells += {cell.id: cell for cell in own}.values()  # two sizes may come to the same
    if refusals and not cells and not faults:
        raise Problem(f"--size: {Counter(refusals.values()).most_common(1)[0][0]}", Exit.USAGE)
    return [_event(event, refusals, faults) for event in openings], cells


def _check(workload: str, row: Event, size: Size) -> None:
    check_names(f"param of {workload}", list(size), row["params"])
    if (paced_by := row.get("paced_by")) in size:
        raise Problem(f"--size: {paced_by} of {workload} is not to be chosen: a run takes {', '.join(map(str, LOADS))} % of what the slowest model can serve", Exit.USAGE)


def _event(event: Event, refusals: Mapping[str, str], faults: Mapping[str, str]) -> Event:
    """Of a model that is left out with the reason, else as it is."""
    if event["event"] == "model" and event["model"] in faults:
        return {**event, "status": "failed", "reason": faults[event["model"]], "hello": {}}
    if event["event"] == "model" and event["model"] in refusals:
        return {**event, "status": "unsupported", "reason": "has the sizes of its list only", "hello": {}}
    return event

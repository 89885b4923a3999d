"""`crossover list`: which models and workloads there are, and what each model can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from driver.cells import Cell, Event
from driver.pace import QUICK
from driver.plan import by_case
from driver.progress import Progress
from driver.session import Session
from driver.waiting import Waiter


def describe(programs: Mapping[str, Path], progress: Progress) -> Iterator[str]:
    with Waiter(progress.tick) as waiter:
        session = Session(programs, {}, None, QUICK, progress, waiter)
        try:
            events, cells = session.open()
        finally:
            session.end()
            progress.end()
    yield from _models([event for event in events if event["event"] == "model"])
    yield ""
    yield from _workloads(cells)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def _models(models: Sequence[Event]) -> Iterator[str]:
    spoken = [model for model in models if model["status"] == "ok"]
    verbs = sorted({verb for model in spoken for verb in model["hello"].get("verbs") or {}})
    yield f"Models ({len(spoken)})"
    rows = [["model", "family", "at once", "threads", "processes", *(verb.removeprefix("can_") for verb in verbs)]]
    lacks: dict[str, list[str]] = {}
    for model in spoken:
        hello, resources = model["hello"], model["hello"].get("resources") or {}
        marks = []
        for verb in verbs:
            reason = (hello.get("verbs") or {}).get(verb, "not stated")
            marks.append("no" if reason else "yes")
            if reason:
                lacks.setdefault(f"no {verb.removeprefix('can_')}: {reason}", []).append(model["model"])
        counts = [str(hello.get("at_once", "?")), str(resources.get("threads", "?")), str(resources.get("processes", "?"))]
        rows.append([model["model"], str(hello["family"]), *counts, *marks])
    yield from _table(rows)
    for reason, names in lacks.items():
        yield f"  {reason} ({', '.join(names)})"
    for model in models:
        if model["status"] != "ok":
            yield f"  {model['model']}: {model['reason']}"


def _workloads(cells: Sequence[Cell]) -> Iterator[str]:
    workloads: dict[str, list[list[Cell]]] = {}
    for models in by_case(cells).values():
        workloads.setdefault(models[0].case.workload, []).append(models)
    yield f"Workloads ({len(workloads)})"
    for name, cases in workloads.items():
        first = cases[0][0].case
        yield f"  {name} ({first.kind}, decided by {first.metric}): {first.question}"
        for models in cases:
            able = sum(cell.status == "ok" for cell in models)
            size = models[0].case.name.partition("/")[2].replace("/", " ")
            lists = ", ".join(models[0].sizes) or "bench program only"
            yield f"      {size}  [{lists}]  on {able} of {len(models)} models"

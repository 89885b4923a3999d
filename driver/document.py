"""run.json, made of a record and written in one piece: a reader sees the old file or the new one, never half of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from driver import google
from driver.allocator import GLIBC
from driver.cells import Cell, Event
from driver.checks import outcome
from driver.output import write_whole
from driver.problem import Exit, Problem
from driver.record import Record

NAME = "run.json"


def nothing_in(place: Path) -> Problem:
    return Problem(f"there is no run in {place}: give the results folder of a run, e.g. results/<id>", Exit.USAGE)


def _measured_bounds(cells: Iterable[Cell]) -> dict[str, int]:
    """Of each case the shortest time that any of its processes has measured: what disturbs can only lengthen it."""
    found: dict[str, int] = {}
    for cell in cells:
        if cell.bare_ns is not None:
            found[cell.case.name] = min(cell.bare_ns, found.get(cell.case.name, cell.bare_ns))
    return found


def _cell(cell: Cell, bounds: Mapping[str, int]) -> Event:
    status, reason = outcome(cell)
    return {
        "id": cell.id,
        "case": cell.case.name,
        "model": cell.model,
        "workload": cell.case.workload,
        "params": cell.case.params,
        "status": status,
        "reason": reason,
        "metric": cell.case.metric,
        "unit": cell.case.unit,
        "units": cell.units,
        "scheduled": cell.scheduled,
        "in_flight": cell.in_flight,
        "bound_ns": max((bound for bound in (cell.bound_ns, bounds.get(cell.case.name)) if bound is not None), default=None),
        "bound": cell.bound,
        "checksum": cell.checksum,
        "iterations": cell.iterations,
        "single_ns": cell.single_ns,
        "projected_ns": cell.projected_ns,
        "offered_per_s": cell.offered_per_s,
        "saturation_per_s": cell.saturation_per_s,
        "stopped": cell.stopped,
        "account": cell.account,
        "failures": cell.failures,
        "samples": cell.samples,
    }


def _workloads(cells: Mapping[str, Cell]) -> list[Event]:
    cases = {cell.case.workload: cell.case for cell in cells.values()}
    return [
        {"id": name, "class": case.kind, "question": case.question, "metric": case.metric, "unit": case.unit} for name, case in sorted(cases.items())
    ]


def _models(record: Record) -> list[Event]:
    models = []
    for model in record.models.values():
        hello = model.hello
        copied = {key: hello.get(key) for key in ("family", "variant_of", "native_of", "engineering", "semaphore_order", "channel_order", "at_once", "start_up_ns")}
        own = {"id": model.id, "status": model.status, "reason": model.reason, "starts": model.starts, "twin_of": model.twin_of, "before_of": model.before_of}
        texts = {key: {str(name): str(text) for name, text in (hello.get(key) or {}).items()} for key in ("versions", "verbs")}
        models.append({**own, "resources": hello.get("resources") or {}, **copied, **texts})
    return models


def _shared_versions(models: list[Event]) -> dict[str, str]:
    spoken = [model["versions"] for model in models if model["versions"]]
    names = {name for versions in spoken for name in versions}
    values = {name: {versions[name] for versions in spoken if name in versions} for name in names}
    return {name: next(iter(found)) for name, found in sorted(values.items()) if len(found) == 1}


def _build(models: list[Event], programs: Event) -> Event:
    versions = _shared_versions(models)
    flags = versions.get("flags", "").split()
    return {
        "versions": versions,
        "programs": programs,
        "ndebug": "-DNDEBUG" in flags if flags else None,
        "ipo": any(flag.startswith("-flto") for flag in flags) if flags else None,
    }


def compose(record: Record) -> Event:
    run, end, models = record.run, record.end, _models(record)
    bounds = _measured_bounds(record.cells.values())
    return {
        "$schema": "run-1.schema.json",
        "schema_version": {"major": 1, "minor": 10},
        "run": {
            **{key: run[key] for key in ("id", "started_utc", "mode", "seed", "time_budget_ns", "cores", "command_line", "tool_version")},
            "allocator": run.get("allocator", GLIBC),
            "sizes": run.get("sizes", []),
            "cells": run.get("cells", []),
            **{key: run.get(key) for key in ("focus", "against", "against_built")},
            **{key: end[key] for key in ("finished_utc", "complete", "stop_reason")},
            "duration_ns": record.duration_ns,
            "rounds_done": max(record.visited.values(), default=0),
            "processes": max((len({sample["process"] for sample in cell.samples}) for cell in record.cells.values()), default=0) or 1,
        },
        "source": run["source"],
        "build": _build(models, run["programs"]),
        "host": run["host"],
        "settings": run["settings"],
        "noise": end["noise"],
        "models": models,
        "workloads": _workloads(record.cells),
        "cells": [_cell(cell, bounds) for cell in record.cells.values()],
        "visits": record.visits,
    }


def write(folder: Path, record: Record) -> None:
    document = compose(record)
    write_whole(folder / NAME, json.dumps(document, allow_nan=False, ensure_ascii=False) + "\n")
    google.write(folder, document)

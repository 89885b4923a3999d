"""Writes run.json from a record, atomically: a reader sees the old file or the new one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from driver.machine.allocator import GLIBC
from driver.measure import google
from driver.session.cells import Cell, Event
from driver.session.checks import outcome
from driver.session.output import write_whole
from driver.session.record import Record
from vocabulary.files import RUN


def _measured_bounds(cells: Iterable[Cell]) -> dict[str, int]:
    """Of each case the shortest time that any of its processes has measured: what disturbs can only lengthen it."""
    found: dict[str, int] = {}
    for cell in cells:
        if cell.state.lower_bound_ns is not None:
            found[cell.case.name] = min(cell.state.lower_bound_ns, found.get(cell.case.name, cell.state.lower_bound_ns))
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
        "bound_ns": max(
            (bound for bound in (cell.bound_ns, bounds.get(cell.case.name)) if bound is not None), default=None
        ),
        "bound": cell.bound,
        "checksum": cell.state.checksum,
        "iterations": cell.state.iterations,
        "single_ns": cell.state.single_ns,
        "projected_ns": cell.state.projected_ns,
        "offered_per_s": cell.state.offered_per_s,
        "saturation_per_s": cell.state.saturation_per_s,
        "stopped": cell.state.stopped,
        "account": cell.state.account,
        "failures": cell.state.failures,
        "samples": cell.state.samples,
    }


def _workloads(cells: Mapping[str, Cell]) -> list[Event]:
    cases = {cell.case.workload: cell.case for cell in cells.values()}
    return [
        {"id": name, "class": case.kind, "question": case.question, "metric": case.metric, "unit": case.unit}
        for name, case in sorted(cases.items())
    ]


def _models(record: Record) -> list[Event]:
    models = []
    for model in record.models.values():
        hello = model.hello
        copied = {
            key: hello.get(key)
            for key in (
                "family",
                "variant_of",
                "native_of",
                "engineering",
                "semaphore_order",
                "channel_order",
                "at_once",
                "start_up_ns",
            )
        }
        own = {
            "id": model.id,
            "status": model.status,
            "reason": model.reason,
            "starts": model.starts,
            "twin_of": model.twin_of,
            "before_of": model.before_of,
        }
        texts = {
            key: {str(name): str(text) for name, text in (hello.get(key) or {}).items()}
            for key in ("versions", "verbs")
        }
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
    """The document of run.json."""
    run, end, models = record.run, record.end, _models(record)
    bounds = _measured_bounds(record.cells.values())
    return {
        "$schema": "run-1.schema.json",
        "schema_version": {"major": 1, "minor": 10},
        "run": {
            **{
                key: run[key]
                for key in (
                    "id",
                    "started_utc",
                    "mode",
                    "seed",
                    "time_budget_ns",
                    "cores",
                    "command_line",
                    "tool_version",
                )
            },
            "allocator": run.get("allocator", GLIBC),
            "sizes": run.get("sizes", []),
            "cells": run.get("cells", []),
            **{key: run.get(key) for key in ("focus", "against", "against_built")},
            **{key: end[key] for key in ("finished_utc", "complete", "stop_reason")},
            "duration_ns": record.duration_ns,
            "rounds_done": max(record.visited.values(), default=0),
            "processes": (
                max(
                    (len({sample["process"] for sample in cell.state.samples}) for cell in record.cells.values()),
                    default=0,
                )
                or 1
            ),
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
    """run.json and the file for Google Benchmark's tools. A Problem where they cannot be written."""
    document = compose(record)
    write_whole(folder / RUN, json.dumps(document, allow_nan=False, ensure_ascii=False) + "\n")
    google.write(folder, document)

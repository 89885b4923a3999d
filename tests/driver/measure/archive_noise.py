#!/usr/bin/python3
"""Makes the noise archive that tests/driver/measure/test_simulated_run.py draws from.

usage: tests/driver/measure/archive_noise.py DIR OUT.json.gz

DIR is the results folder of a full run on a quiet machine. Of every cell the archive has the typical value in each
metric, what each round was off it (in 1/10,000 of the logarithm), and what its check pass and a sample cost beside the
time that was measured; of every model what a start costs.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from driver.prepare.calibrate import COLD_NS  # noqa: E402
from reports.cases.cases import analyse  # noqa: E402
from reports.analysis.claims import points  # noqa: E402
from reports.cases.read import read_run  # noqa: E402
from reports.cases.run import Cell, Run  # noqa: E402

_LEAST_NS = 20_000  # that asking for a sample costs


def archive(folder: Path) -> dict[str, Any]:
    run = read_run(folder)
    events = [json.loads(line) for line in (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    costs = _Costs(events)
    cases = []
    for case in analyse(run).cases:
        twins = [twin for _, twin in run.twins if twin.case == case.id]
        cells = [
            _cell(cell, role, run, costs)
            for cell in (*case.cells.values(), *twins)
            if (role := _role(cell, case.competing, twins)) and costs.known(cell)
        ]
        workload = case.workload
        cases.append(
            {
                "name": case.id,
                "workload": workload.id,
                "params": dict(case.params),
                "class": workload.class_,
                "metric": workload.metric,
                "unit": workload.unit,
                "paced": any(cell.offered_per_s is not None for cell in case.cells.values()),
                "bound_ns": next((cell.bound_ns for cell in case.cells.values()), None),
                "cells": cells,
            }
        )
    models = {
        model.id: {"start_ns": costs.start_ns(model.id), "processes": int(model.resources.get("processes", 1))}
        for model in run.models
    }
    models |= {twin.model: models[own.model] for own, twin in run.twins}
    of = {
        "run": run.run["id"],
        "cpu": run.host.get("cpu_model"),
        "cores": run.run["cores"],
        "grade": run.noise.get("grade"),
    }
    return {
        "of": of,
        "before_ns": costs.before_ns,
        "visit_ns": costs.visit_ns,
        "end_ns": costs.end_ns,
        "models": models,
        "cases": cases,
    }


def _role(cell: Cell, competing: Iterable[str], twins: Sequence[Cell]) -> str:
    if cell.status == "unsupported":
        return ""
    if cell in twins:
        return "twin"
    if cell.model in competing:
        return "competes"
    return "compares" if cell.model == "serial" or _claimed(cell) else "shown"


def _claimed(cell: Cell) -> bool:
    return any(
        point.model == cell.model and point.workload == cell.workload and point.params.items() <= cell.params.items()
        for point in points({})
    )


def _cell(cell: Cell, role: str, run: Run, costs: _Costs) -> dict[str, Any]:
    by_metric = {metric: cell.by_round(metric) for metric in dict.fromkeys(("time", "cpu", cell.metric))}
    values = {
        metric: {number: math.log(value) for number, value in found.items()}
        for metric, found in by_metric.items()
        if found
    }
    rounds = sorted(number for number in by_metric["time"] if all(number in logs for logs in values.values()))
    kept: dict[str, Any] = {
        "model": cell.model,
        "role": role,
        "claimed": _claimed(cell),
        "units": cell.units,
        "rounds": rounds,
    }
    if not rounds:
        typical: dict[str, Any] = {"typical": cell.projected_ns or costs.single_ns(cell), "off": [0]}
        return {
            **kept,
            "rounds": [0],
            "values": {"time": typical, "cpu": typical},
            "projected_ns": cell.projected_ns,
            **costs.of(cell),
        }
    kept["values"] = {}
    for metric, logs in values.items():
        middle = _middle([logs[number] for number in rounds])
        kept["values"][metric] = {
            "typical": round(math.exp(middle), 1),
            "off": [round(1e4 * (logs[number] - middle)) for number in rounds],
        }
    if "latency" in values:
        kept["latencies"] = median(
            sum(count for _, count in sample.latency["intended"]) / sample.iterations
            for sample in cell.samples
            if sample.latency
        )
    for share in ("origin_cpu_ns", "load_cpu_ns"):
        found = [
            getattr(sample, share) / sample.wall_ns for sample in cell.samples if getattr(sample, share) is not None
        ]
        if found:
            kept[share] = round(median(found), 3)
    return {**kept, **costs.of(cell)}


def _middle(logs: list[float]) -> float:
    """Interquartile mean."""
    cut = len(logs) // 4
    return math.fsum(sorted(logs)[cut : len(logs) - cut]) / (len(logs) - 2 * cut)


class _Costs:
    """What the journal says that things took."""

    def __init__(self, events: Sequence[dict[str, Any]]) -> None:
        self._calibrations = {event["cell"]: event for event in events if event["event"] == "calibration"}
        self._samples: dict[str, list[tuple[dict[str, Any], int]]] = {}  # with what they took without a start
        self._gates: dict[str, int] = {}
        self._starts: dict[str, list[int]] = {}
        ends, around, starts_of_visit = [], [], 0
        first_gate_ns = None
        sampled_ns = 0
        for before, event in zip(events, events[1:]):
            took_ns = event["at_ns"] - before["at_ns"]
            match event["event"]:
                case "start":
                    starts_of_visit += 1
                    if before["event"] in ("sample", "start"):
                        self._starts.setdefault(event["model"], []).append(took_ns)
                    elif before["event"] == "visit":
                        ends.append(took_ns)
                case "gate":
                    self._gates[event["cell"]] = took_ns if before["event"] == "start" else event["took_ns"]
                    first_gate_ns = first_gate_ns or event["at_ns"] - event["took_ns"]
                case "sample":
                    self._samples.setdefault(event["cell"], []).append(
                        (event, took_ns if before["event"] == "start" else event["asked_ns"])
                    )
                    sampled_ns += event["asked_ns"]
                case "visit":
                    if not starts_of_visit and before["event"] == "sample":
                        around.append(event["wall_ns"] - sampled_ns)
                    starts_of_visit = sampled_ns = 0
        self.before_ns = (first_gate_ns or 0) - events[0]["at_ns"]
        self.visit_ns = round(median(around)) + 1_000_000
        usual = median(took for of_model in self._starts.values() for took in of_model)
        self.end_ns = max(0, round(median(ends) - usual)) if ends else 0

    def known(self, cell: Cell) -> bool:
        """Left out cells have no costs: they are of no use to a simulation."""
        return cell.id in self._calibrations or cell.projected_ns is not None

    def start_ns(self, model: str) -> int:
        every = [took for of_model in self._starts.values() for took in of_model]
        return round(median(self._starts.get(model) or every))

    def single_ns(self, cell: Cell) -> int:
        return int(self._calibrations[cell.id]["single_ns"])

    def of(self, cell: Cell) -> dict[str, Any]:
        """Of a sample: for each pass, and once."""
        calibration = self._calibrations.get(cell.id)
        if calibration is None:
            return {"gate_ns": cell.projected_ns, "pass_ns": 0, "once_ns": _LEAST_NS}
        single = calibration["single_ns"]
        samples = self._samples.get(cell.id, [])
        untimed = int(single < COLD_NS)
        passes = round(median(sample["iterations"] for sample, _ in samples)) + untimed if samples else 1 + untimed
        beside = [took - sample["wall_ns"] * (1 + untimed / sample["iterations"]) for sample, took in samples]
        renewed = [earlier["process"] != later["process"] for (earlier, _), (later, _) in zip(samples, samples[1:])]
        fresh = len(samples) > 1 and all(renewed) and calibration["iterations"] == 1
        usual = (
            [extra for extra, new in zip(beside[1:], renewed) if not new]
            or ([] if not fresh else beside)
            or [calibration["asked_ns"] - single]
        )
        extra_ns = max(_LEAST_NS, round(median(usual)))
        checks = [extra - extra_ns for extra, new in zip(beside[1:], renewed) if new and not fresh]
        check_ns = max(0, round(median(checks))) if checks else self._gates.get(cell.id, single)
        split = (
            {"pass_ns": extra_ns // passes, "once_ns": _LEAST_NS} if passes > 2 else {"pass_ns": 0, "once_ns": extra_ns}
        )
        return {"single_ns": single, "gate_ns": check_ns, **split, "fresh_process": fresh}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    text = json.dumps(archive(Path(sys.argv[1])), separators=(",", ":"))
    Path(sys.argv[2]).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()

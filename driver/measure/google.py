"""The samples in Google Benchmark's JSON format, for its tools: each sample is a repetition."""

from __future__ import annotations

import json
from pathlib import Path

from driver.session.cells import Event
from driver.session.output import write_whole

NAME = "google_benchmark.json"


def compose(document: Event) -> Event:
    """From the document of run.json."""
    run, host = document["run"], document["host"]
    context = {
        "date": run["started_utc"],
        "host_name": host["hostname_hash"],
        "executable": " ".join(run["command_line"]),
        "num_cpus": host["logical_cores"],
        "cpu_scaling_enabled": document["settings"]["governor"] not in (None, "performance"),
        "load_avg": [document["noise"]["load_start"]],
        "library_version": document["build"]["versions"].get("benchmark", ""),
        "library_build_type": document["build"]["versions"].get("build_type", ""),
        "json_schema_version": 1,
        "crossover_run": run["id"],
    }
    measured = [cell for cell in document["cells"] if cell["status"] == "ok"]
    return {
        "context": context,
        "benchmarks": [row for family, cell in enumerate(measured) for row in _rows(family, cell)],
    }


def _rows(family: int, cell: Event) -> list[Event]:
    return [
        {
            "name": cell["id"],
            "family_index": family,
            "per_family_instance_index": 0,
            "run_name": cell["id"],
            "run_type": "iteration",
            "repetitions": len(cell["samples"]),
            "repetition_index": number,
            "threads": 1,
            "iterations": sample["iterations"],
            "real_time": sample["wall_ns"] / sample["iterations"],
            "cpu_time": (sample["cpu_user_ns"] + sample["cpu_sys_ns"]) / sample["iterations"],
            "time_unit": "ns",
        }
        for number, sample in enumerate(cell["samples"])
    ]


def write(folder: Path, document: Event) -> None:
    """Into the folder of the run. A Problem where that cannot be."""
    found = compose(document)
    context = json.dumps(found["context"], allow_nan=False)
    # one to a line; json's own indenting is ten times slower
    rows = ",\n".join(json.dumps(row, allow_nan=False) for row in found["benchmarks"])
    write_whole(folder / NAME, f'{{"context": {context},\n"benchmarks": [\n{rows}\n]}}\n')

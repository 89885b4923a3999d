"""results.csv: one line per sample, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
import json

from reports.cases.run import Run

NAME = "results.csv"
_HEADER = (
    "workload",
    "model",
    "params",
    "status",
    "round",
    "process",
    "position",
    "iterations",
    "units",
    "time_ns",
    "cpu_ns",
    "peak_rss_bytes",
    "pss_bytes",
    "disturbed",
)


def samples_csv(run: Run) -> str:
    """Times and sizes of one iteration."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for cell in run.cells:
        disturbed = run.disturbed.get(cell.case, frozenset())
        for s in cell.samples:
            params = json.dumps(cell.params, sort_keys=True)
            memory = ("" if s.peak_rss_bytes is None else s.peak_rss_bytes, "" if s.pss_bytes is None else s.pss_bytes)
            writer.writerow(
                (
                    cell.workload,
                    cell.model,
                    params,
                    cell.status,
                    s.round,
                    s.process,
                    s.position,
                    s.iterations,
                    cell.units,
                    f"{s.time_ns:.0f}",
                    f"{s.cpu_ns:.0f}",
                    *memory,
                    int(s.round in disturbed),
                )
            )
    return text.getvalue()

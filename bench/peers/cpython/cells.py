"""The cells of a C++ bench, so that names, sizes, lists and bounds are written once, in workloads/."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpython.items.workloads import WORKLOADS, Params, Workload

SOURCE = "bench_serial"
_LEAST_STEP_NS = 10  # of a loop that is interpreted, on any machine: so that the driver projects what it cannot afford


class NoCells(Exception):
    """One line with the remedy."""


@dataclass(frozen=True)
class Cell:
    workload: Workload
    row: dict[str, Any]  # as that bench says hello with it
    params: Params

    @property
    def key(self) -> str:
        return json.dumps([self.workload.name, self.params], sort_keys=True)

    @property
    def items(self) -> int:
        return self.workload.items(self.params)


def offered(folder: Path) -> list[Cell]:
    """Asks the bench of the serial model in `folder`. Raises NoCells."""
    program = folder / SOURCE
    try:
        told = subprocess.run(
            [program, "--serve"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
        ).stdout
        rows = json.loads(told)["cells"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        raise NoCells(f"{program} does not tell which cells there are ({error}): build the target benches") from None
    return [Cell(WORKLOADS[row["workload"]], row, row["params"]) for row in rows if row["workload"] in WORKLOADS]


def refusal(cell: Cell, guaranteed_concurrency: int, guaranteed_concurrency_limit: str, has_origin: bool) -> str:
    """Why a model cannot do it, empty when it can."""
    if (together := cell.workload.together(cell.params)) > guaranteed_concurrency:
        return (
            f"needs {together} at once, has"
            f" {guaranteed_concurrency}{guaranteed_concurrency_limit and f': {guaranteed_concurrency_limit}'}"
        )
    if "can_connect" in cell.workload.verbs and not has_origin:
        return "needs the origin server: give its address with --origin"
    return ""


def hello_row(
    cell: Cell, guaranteed_concurrency: int, guaranteed_concurrency_limit: str, parallel: int, has_origin: bool
) -> dict[str, Any]:
    row = {key: value for key, value in cell.row.items() if key != "least_ns"}
    reason = refusal(cell, guaranteed_concurrency, guaranteed_concurrency_limit, has_origin)
    least = max(
        cell.workload.least_ns(cell.params, guaranteed_concurrency),
        cell.workload.steps(cell.params) * _LEAST_STEP_NS // parallel,
    )
    if least > row.get("bound_ns", 0):
        row["least_ns"] = least
    return row | {"status": "unsupported" if reason else "ok", "reason": reason}

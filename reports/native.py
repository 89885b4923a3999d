"""What the suite itself costs: DIR/native.json, as bench/native/overhead.py --out writes it beside a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports import quantities
from reports.read import ReadError
from reports.statistics import Ratio

NAME = "native.json"


@dataclass(frozen=True)
class Pair:
    """One case of one model beside the same work hand-written against its library; ratios are suite / native."""

    workload: str
    label: str
    model: str
    aim: float  # what the upper bound of the CPU ratio should keep below
    cpu: Ratio | None  # None with too few rounds
    time: Ratio | None
    instructions: float | None

    @property
    def verdict(self) -> str:
        if self.cpu is None or self.cpu.low is None or self.cpu.high is None:
            return "too few rounds"
        return "kept" if self.cpu.high <= self.aim else "missed" if self.cpu.low > self.aim else "open"


def read_native(folder: Path) -> tuple[Pair, ...]:
    """Empty if the twins were not measured. Raises ReadError."""
    file = folder / NAME
    if not file.is_file():
        return ()
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return tuple(_pair(row) for row in document["pairs"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReadError(f"{file}: is not what bench/native/overhead.py --out writes ({error!r}): measure the twins again, or remove it") from None


def _pair(row: dict[str, Any]) -> Pair:
    instructions = row.get("instructions")
    return Pair(
        workload=str(row["workload"]),
        label=quantities.params(row["params"], row["params"]),
        model=str(row["model"]),
        aim=float(row["aim"]),
        cpu=_ratio(row["cpu_ns"]),
        time=_ratio(row["wall_ns"]),
        instructions=None if instructions is None else float(instructions["ratio"]),
    )


def _ratio(row: dict[str, Any]) -> Ratio | None:
    if row["ratio"] is None:
        return None
    return Ratio(float(row["ratio"]), float(row["low"]), float(row["high"]))

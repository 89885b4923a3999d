"""How much of the cores each model of a case had during its samples: if other programs run, models with many threads
get more of them."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from reports.cases import quantities
from reports.cases.run import Cell

TELLING = 0.1  # between the most and the least of a case


def core_shares(cells: Mapping[str, Cell], cores: Any) -> dict[str, float]:
    """Model → CPU time over wall time and cores, in the middle of its samples."""
    if not isinstance(cores, int) or cores < 1:
        return {}
    measured = {
        model: cell.samples for model, cell in cells.items() if cell.samples and cell.status in ("ok", "server_bound")
    }
    return {
        model: median(sample.cpu_ns / (sample.time_ns * cores) for sample in samples)
        for model, samples in measured.items()
    }


def told(shares: Mapping[str, float]) -> bool:
    """They differ by more than that which needs no word."""
    return bool(shares) and max(shares.values()) - min(shares.values()) > TELLING


def extremes(shares: Mapping[str, float]) -> str:
    """A sentence that names the models with the most and the least; empty where they hardly differ."""
    if not told(shares):
        return ""
    most, least = (of(shares, key=lambda model: (shares[model], model)) for of in (max, min))
    return (
        f"During its samples {most} had {quantities.percent(shares[most])} of the cores,"
        f" {least} {quantities.percent(shares[least])}."
    )

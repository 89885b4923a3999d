"""METG(50 %): the smallest task with which a model still computes half as fast as it does with large ones."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import Any

from reports.cases import quantities
from reports.cases.appearance import ordered
from reports.cases.cases import Case, Row
from reports.cases.table import Table
from vocabulary.representatives import BASELINE


@dataclass(frozen=True)
class Metg:
    """Of a model's own best, so that one that uses a single core has one, too; `most` tells them apart.

    Between two sizes that were measured the speed is taken to grow with the logarithm of the body.
    """

    model: str
    body_ns: float  # if there is no larger body with less than half: that or less
    above_ns: float | None  # the largest measured body with less than half
    below_ns: float  # the smallest one with half or more
    most: float  # the largest share of the cores' time that went into bodies


def metgs(row: Row, cores: Any) -> list[Metg]:
    """Of every model with two sizes or more; of none where serial has not been measured, which tells how long a step
    takes."""
    step_ns = _step_ns(row)
    if step_ns is None or not isinstance(cores, int) or cores < 1:
        return []
    shares: dict[str, list[tuple[float, float]]] = {}
    for case in sorted(row.cases, key=lambda case: int(case.params["steps"])):
        body_ns = step_ns * int(case.params["steps"])
        for model, time_ns in case.medians["time"].items():
            if body_ns > 0:
                shares.setdefault(model, []).append((body_ns, int(case.params["tasks"]) * body_ns / cores / time_ns))
    return [_metg(model, shares[model]) for model in ordered(shares) if len(shares[model]) > 1]


def table(row: Row, cores: Any) -> Table:
    """Shortest first."""
    found = sorted(metgs(row, cores), key=lambda m: m.body_ns)
    return Table(
        ("model", "METG(50 %)", "measured bodies around it", "largest share of the cores' time"),
        tuple(_row(m) for m in found),
    )


def _step_ns(row: Row) -> float | None:
    """From serial with the largest body, of which handing out is the smallest part."""
    measured = [case for case in row.cases if BASELINE in case.medians["time"] and _steps(case) > 0]
    if not measured:
        return None
    largest = max(measured, key=lambda case: int(case.params["steps"]))
    return largest.medians["time"][BASELINE] / _steps(largest)


def _steps(case: Case) -> int:
    return int(case.params["tasks"]) * int(case.params["steps"])


def _metg(model: str, shares: list[tuple[float, float]]) -> Metg:
    most = max(share for _, share in shares)
    half = most / 2
    place = next(place for place, (_, share) in enumerate(shares) if share >= half)
    body, share = shares[place]
    if place == 0:
        return Metg(model, body, None, body, most)
    body_before, share_before = shares[place - 1]
    part = (half - share_before) / (share - share_before)
    return Metg(model, exp(log(body_before) + part * log(body / body_before)), body_before, body, most)


def _row(m: Metg) -> tuple[str, ...]:
    share = quantities.percent(m.most)
    if m.above_ns is None:
        return m.model, f"at most {quantities.duration(m.body_ns)}", "no smaller one", share
    return (
        m.model,
        quantities.duration(m.body_ns),
        f"{quantities.duration(m.above_ns)} to {quantities.duration(m.below_ns)}",
        share,
    )

"""Checks that all models of a case claim the same work. The odd ones out are wrong; without a majority all are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from driver.session.cells import Cell, Event

_CLAIMS: tuple[tuple[str, Callable[[Cell], Any]], ...] = (
    ("units", lambda cell: cell.units),
    ("executions", lambda cell: (cell.state.account or {}).get("executions")),
    ("checksum", lambda cell: cell.state.checksum),
)


def odd_ones_out(models: Sequence[Cell]) -> dict[str, str]:
    """The ids of the cells of one case whose work differs from that of most models, with the reason."""
    calibrated = [cell for cell in models if cell.state.iterations is not None and not cell.state.given_up]
    odd: dict[str, str] = {}
    for name, claim in _CLAIMS:
        votes = Counter(value for cell in calibrated if (value := claim(cell)) is not None)
        if len(votes) < 2:
            continue
        value, count = votes.most_common(1)[0]
        majority = 2 * count > votes.total()
        for cell in calibrated:
            own = claim(cell)
            if own is not None and (own != value or not majority):
                others = f"most models have {value}" if majority else "and no majority of the models agrees"
                odd.setdefault(cell.id, f"{name} is {own}, {others}")
    return odd


def _rises(buckets: Sequence[Sequence[int]]) -> bool:
    return all(one[0] < following[0] for one, following in zip(buckets, buckets[1:]))


def wrong_sample(cell: Cell, iterations: int, sample: Event) -> str:
    """Why a sample that conforms to the protocol is not to be believed; empty when it is."""
    if sample["iterations"] != iterations:
        return f"{sample['iterations']} iterations were done, {iterations} were asked for"
    if sample["units"] != cell.units * iterations:
        return f"{sample['units']} {cell.case.unit} were done, {cell.units * iterations} are owed"
    if "latency" in sample and not all(_rises(sample["latency"][kind]) for kind in ("intended", "service")):
        return "a sample whose latencies are not rising buckets"
    if cell.state.checksum is not None and sample["checksum"] != cell.state.checksum:
        return f"checksum {sample['checksum']} differs from the first one, {cell.state.checksum}"
    return ""


_SERVERS = {"origin_cpu_ns": "origin server", "load_cpu_ns": "load generator"}


def outcome(cell: Cell) -> tuple[str, str]:
    """Status and reason as they stand when measuring has ended."""
    if cell.state.status != "ok":
        return cell.state.status, cell.state.reason
    if not cell.state.samples:
        return "not_run", "the run ended first"
    for key, server in _SERVERS.items():
        shares = [sample[key] / sample["wall_ns"] for sample in cell.state.samples if key in sample]
        if shares and median(shares) > 0.7:
            return "server_bound", f"the {server} used {median(shares):.0%} of its core: no verdict"
    return "ok", ""

"""Do all models of a case claim the same work? The odd ones out are wrong, and without a majority all are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from driver.cells import Cell, Event

_CLAIMS: tuple[tuple[str, Callable[[Cell], Any]], ...] = (
    ("units", lambda cell: cell.units),
    ("executions", lambda cell: (cell.account or {}).get("executions")),
    ("checksum", lambda cell: cell.checksum),
)


def odd_ones_out(models: Sequence[Cell]) -> dict[str, str]:
    """The ids of the cells of one case whose work differs from that of most models, with the reason."""
    calibrated = [cell for cell in models if cell.iterations is not None and not cell.given_up]
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


_OWED = ("iterations", "units", "start_ns", "wall_ns", "cpu_user_ns", "cpu_sys_ns")
METERED = (
    "voluntary_switches",
    "involuntary_switches",
    "minor_faults",
    "major_faults",
    "peak_rss_bytes",
    "pss_bytes",
    "origin_cpu_ns",
    "load_cpu_ns",
)
KEPT = (*(key for key in _OWED if key != "units"), *METERED, "latency", "notes")


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63  # of type bool are true and false


def _are_notes(notes: Any) -> bool:
    return isinstance(notes, dict) and all(map(is_count, notes.values()))


def _are_latencies(latency: Any) -> bool:
    return isinstance(latency, dict) and all(_are_buckets(latency.get(kind)) for kind in ("intended", "service"))


def _are_buckets(pairs: Any) -> bool:
    """[[largest value in ns, how many], ...]"""
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 and all(map(is_count, pair)) for pair in pairs):
        return False
    return all(pair[0] < following[0] for pair, following in zip(pairs, pairs[1:]))


def wrong_sample(cell: Cell, iterations: int, sample: Event) -> str:
    """Why a sample is not to be believed; empty when it is."""
    for key in (*_OWED, *(key for key in METERED if key in sample)):
        if not is_count(sample.get(key)):
            return f"a sample without a whole, positive {key}"
    if sample["wall_ns"] == 0:
        return "a sample that took no time"
    if sample["iterations"] != iterations:
        return f"{sample['iterations']} iterations were done, {iterations} were asked for"
    if sample["units"] != cell.units * iterations:
        return f"{sample['units']} {cell.case.unit} were done, {cell.units * iterations} are owed"
    if not isinstance(sample.get("checksum"), str):
        return "a sample without a checksum"
    if not _are_notes(sample.get("notes", {})):
        return "a sample with a note that is no whole number"
    if not _are_latencies(sample.get("latency", {"intended": [], "service": []})):
        return "a sample whose latencies are no rising buckets of counts"
    if cell.checksum is not None and sample["checksum"] != cell.checksum:
        return f"checksum {sample['checksum']} differs from the first one, {cell.checksum}"
    return ""


_SERVERS = {"origin_cpu_ns": "origin server", "load_cpu_ns": "load generator"}


def outcome(cell: Cell) -> tuple[str, str]:
    """Status and reason as they stand when measuring has ended."""
    if cell.status != "ok":
        return cell.status, cell.reason
    if not cell.samples:
        return "not_run", "the run ended first"
    for key, server in _SERVERS.items():
        shares = [sample[key] / sample["wall_ns"] for sample in cell.samples if key in sample]
        if shares and median(shares) > 0.7:
            return "server_bound", f"the {server} used {median(shares):.0%} of its core: no verdict"
    return "ok", ""

"""What can become of a cell, in words: the same on the console, in tables and in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

NAMES = {
    "ok": "ok",
    "unsupported": "not supported",
    "wrong": "wrong result",
    "crashed": "crashed",
    "timed_out": "timed out",
    "failed": "failed",
    "projected": "projected",
    "server_bound": "server-bound",
    "not_run": "not run",
}
FAILURES = ("wrong", "crashed", "timed_out", "failed")


def name(status: str) -> str:
    """In words; what is not known stays as it is."""
    return NAMES.get(status, status)


def counted(statuses: Iterable[str]) -> str:
    """711 ok, 136 not supported."""
    counts = Counter(statuses)
    return ", ".join(f"{counts[status]:,} {words}" for status, words in NAMES.items() if counts[status])

"""A table as text, for pages and terminals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure; every cell is text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

"""Figures that an older report left in the folder and the present one does not draw: nobody must take them for its own."""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path

_SINGLE = ("anatomy", "cost-plane", "heartbeat", "memory", "model-or-implementation", "order", "percentiles", "scaling", "textbook-against-best", "throughput", "twins")
_OURS = re.compile(rf"(?P<name>{'|'.join(_SINGLE)}|claim-\d\d|(?:winner|regime)-map-[a-z]+|forest-[a-z]+-[a-z]+(?:-\d+)?)\.(?:svg|png)")


def remove(figures: Path, drawn: Container[str]) -> None:
    """Of the files in `figures` those that a report may write, except where `drawn` has their name without its ending. Raises OSError."""
    for file in figures.iterdir():
        ours = _OURS.fullmatch(file.name)
        if ours and ours["name"] not in drawn and not file.is_dir():
            file.unlink()

"""Removes figures that an older report left in the folder and the present one does not draw."""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path

_SERIES = re.compile(r"claim-\d\d|(?:winner|regime)-map-[a-z]+|forest-[a-z]+-[a-z]+(?:-\d+)?")
_SHOWN = re.compile(r"\(figures/([\w-]+)\.png\)")


def remove(figures: Path, drawn: Container[str]) -> None:
    """Of the files in `figures` those that the report.md beside it shows or whose names a report gives, except where
    `drawn` has their name without its ending. Raises OSError."""
    report = figures.parent / "report.md"
    shown = set(_SHOWN.findall(report.read_text(encoding="utf-8", errors="replace"))) if report.is_file() else set()
    for file in figures.iterdir():
        ours = file.suffix in (".svg", ".png") and (file.stem in shown or _SERIES.fullmatch(file.stem))
        if ours and file.stem not in drawn and not file.is_dir():
            file.unlink()

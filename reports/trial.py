"""Draws a little that nobody keeps: what a report needs is there and works together, or says so before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path

from reports import building, drawn_comparison, pages, statistics, validate  # noqa: F401 (with all that they import)
from reports.figures.sheet import Sheet, Table


def draw() -> None:
    """Raises whatever keeps it from that."""
    statistics.bounds([0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
    sheet = Sheet(1, 1)
    sheet.text(0.1, 0.5, "µ", bold=True)
    sheet.area([[(0, 0), (1, 0), (1, 1)]], hatch="//")
    sheet.picture("trial", "trial", "a letter", Table((), ()))
    for template in ("index.html", "report.md", "compare.html"):
        pages.environment(finalize=pages.escaped).get_template(template)
    for schema in (Path(__file__).parent / "schema").iterdir():
        json.loads(schema.read_text(encoding="utf-8"))

"""Draws a small throw-away figure, so that missing packages are reported before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path

from reports.pages import building, drawn_comparison, files, validate  # noqa: F401 (with all that they import)
from verdicts import statistics  # noqa: F401 (with all that they import)
from reports.cases.table import Table
from reports.drawing.sheet import Sheet


def draw() -> None:
    """Raises whatever keeps it from that."""
    statistics.bounds([0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
    sheet = Sheet(1, 1)
    sheet.text(0.1, 0.5, "µ", bold=True)
    sheet.area([[(0, 0), (1, 0), (1, 1)]], hatch="//")
    sheet.picture("trial", "trial", "a letter", Table((), ()))
    for template in ("index.html", "report.md", "compare.html"):
        files.environment(finalize=files.escaped).get_template(template)
    for schema in (Path(__file__).parents[1] / "schema").iterdir():
        json.loads(schema.read_text(encoding="utf-8"))

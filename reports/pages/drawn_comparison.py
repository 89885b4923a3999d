"""Draws two runs side by side: FOLDER/compare.html and FOLDER/figures/. The same runs give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reports.cases.cases import Analysis
from reports.cases.table import Table
from reports.comparison.compare import Comparison
from reports.comparison.side_by_side import HEADER, front, notes, row
from reports.drawing.sheet import Picture
from reports.figures.side_by_side_map import side_by_side_map
from reports.pages.files import environment, write
from reports.text import trust

NAME = "compare.html"


@dataclass(frozen=True)
class _Page:
    facts: Table
    map: Picture | None
    notes: list[str]
    changes: Table


def draw(before: Analysis, after: Analysis, comparison: Comparison, folder: Path) -> Path:
    """The page. Raises OSError if FOLDER cannot be written to."""
    analyses = before, after
    facts = [
        {fact.name: fact.value for fact in trust.facts(analysis) if fact.name != "Warning"} for analysis in analyses
    ]
    rows: list[tuple[str, ...]] = [("Run", str(before.run.run.get("id")), str(after.run.run.get("id")))]
    rows += [(name, *(of.get(name, "–") for of in facts)) for name in dict.fromkeys((*facts[0], *facts[1]))]
    page = _Page(
        facts=Table(("", "before", "after"), tuple(rows)),
        map=side_by_side_map(*analyses, comparison.changes),
        notes=[*front(before, after, comparison), *notes(comparison)],
        changes=Table(HEADER, tuple(row(change) for change in comparison.changes)),
    )
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    if page.map:
        write(figures / f"{page.map.name}.svg", page.map.file.encode())
        write(figures / f"{page.map.name}.png", page.map.png)
    write(folder / NAME, environment().get_template("compare.html").render(page=page).encode())
    return folder / NAME

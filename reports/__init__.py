"""`build(DIR)` draws the report of a run: from run.json to figures and sentences."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # NumPy is imported once the environment is known to be good: see __main__.py
    from reports.cases.run import Focus


def build(run_dir: Path, front: Focus | None = None) -> list[str]:
    """Writes index.html, report.md and figures/ into DIR, from its run.json; `front`: with that model in front. The few
    lines that a terminal shows of it. Raises ReadError (one line), OSError, or ImportError where scripts/setup has not
    run."""
    warnings.filterwarnings("ignore", message="(?s)Glyph .* missing")  # of a foreign name: a box stands for it
    from reports.cases.read import ReadError
    from reports.pages import building

    try:
        return building.build(run_dir, front)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        from reports.pages.validate import faults

        if found := faults(run_dir):  # somebody has changed it by hand
            raise ReadError(f"{run_dir}/run.json does not conform to its schema: {found[0]}: fix that") from None
        raise

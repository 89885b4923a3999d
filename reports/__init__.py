"""From run.json to pictures and sentences: `build(DIR)` draws the report of a run."""

import warnings
from pathlib import Path

from reports.read import ReadError
from reports.run import Focus

__all__ = ["Focus", "ReadError", "build"]


def build(run_dir: Path, front: Focus | None = None) -> list[str]:
    """Writes index.html, report.md and figures/ into DIR, from its run.json; `front`: with that model in front. The few lines that a terminal shows of it. Raises ReadError (one line), OSError, or ImportError where scripts/setup has not run."""
    warnings.filterwarnings("ignore", message="(?s)Glyph .* missing")  # of a foreign name: a box stands for it
    from reports import building  # statistics and reading need neither matplotlib nor jinja2

    try:
        return building.build(run_dir, front)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        from reports.validate import faults

        if found := faults(run_dir):  # somebody has changed it by hand
            raise ReadError(f"{run_dir}/run.json breaks its schema: {found[0]}: mend that") from None
        raise

"""The A/A control of a run: every model against itself."""

from __future__ import annotations

from reports.cases.run import Run
from verdicts.aa_control import Pair, compared


def aa_pairs(run: Run) -> list[Pair]:
    """Every twin that has enough rounds, by time and by CPU cost."""
    both_ok = (both for both in run.twins if all(cell.status == "ok" for cell in both))
    return [
        pair
        for own, twin in both_ok
        for pair in compared(own.model, own.case, own.metric, lambda metric: [own.series(metric), twin.series(metric)])
    ]

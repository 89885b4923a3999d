"""The regression gate: which changes between two runs are shown to be worse than a threshold, and which may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.compare import Change


@dataclass(frozen=True)
class Findings:
    regressions: tuple[Change, ...]
    inconclusive: tuple[Change, ...]  # a regression is neither shown nor excluded
    passed: int


def judge(changes: Sequence[Change], threshold: float) -> Findings:
    """`threshold`: 0.1 allows 10 % more time.

    A claim needs the wider interval, as in verdicts, and the undisturbed rounds must show it too: two runs beside different foreign loads
    differ in everything. Too few rounds are inconclusive.
    """
    limit = float(np.log1p(threshold))
    found: dict[str, list[Change]] = {"regression": [], "inconclusive": [], "passed": []}
    for change in changes:
        shown = all(bounds is not None and bounds.claim_low > limit for bounds in (change.bounds, change.quiet))
        excluded = change.bounds is not None and change.bounds.high <= limit
        found["regression" if shown else "passed" if excluded else "inconclusive"].append(change)
    return Findings(tuple(found["regression"]), tuple(found["inconclusive"]), len(found["passed"]))

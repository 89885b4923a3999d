"""What choosing a model can cost: how far behind the true best of a case it may be."""

from __future__ import annotations

import math

from reports.analysis import Case
from reports.deciding import looks_of
from reports.statistics import pair


def regrets(case: Case, metric: str) -> dict[str, float]:
    """Competing model → the bound of how much slower than the best it is, as a share. Infinite where the run sets none; empty without a best set."""
    verdict = case.verdicts[metric]
    if not verdict.best_set or verdict.reason:
        return {}
    least = verdict.regret if verdict.regret is not None else math.inf
    return {model: least if model == verdict.safe_choice else max(least, _behind(case, metric, model)) for model in case.competing}


def _behind(case: Case, metric: str, model: str) -> float:
    """The upper bound of the multiple comparison with the best (Hsu 1984)."""
    if model not in case.cells or case.cells[model].status != "ok":
        return math.inf
    least, own = looks_of(case.workload.metric)[0], case.cells[model].series(metric)
    found = [pair(own, case.cells[rival].series(metric), least) for rival in case.verdicts[metric].best_set if rival != model]
    return max((math.inf if bounds is None else math.expm1(max(0.0, bounds.high)) for bounds in found), default=0.0)

"""Regret: how far behind the true best of a case a model may be."""

from __future__ import annotations

import math

from reports.cases.cases import Case
from verdicts.deciding import regret_of
from vocabulary.looks import looks_of


def regrets(case: Case, metric: str) -> dict[str, float]:
    """Competing model → the bound of how much slower than the best it is, as a share. Infinite where the run sets none;
    empty without a best set."""
    verdict = case.verdicts[metric]
    if not verdict.best_set or verdict.reason:
        return {}
    least = verdict.regret if verdict.regret is not None else math.inf
    return {
        model: least if model == verdict.safe_choice else max(least, _of(case, metric, model))
        for model in case.competing
    }


def _of(case: Case, metric: str, model: str) -> float:
    if model not in case.cells or case.cells[model].status != "ok":
        return math.inf
    rivals = [case.cells[rival].series(metric) for rival in case.verdicts[metric].best_set if rival != model]
    return regret_of(case.cells[model].series(metric), rivals, looks_of(case.workload.metric)[0])

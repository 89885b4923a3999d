"""verdicts.json: the verdict of every case and metric, and what matters more, model or implementation, for other
programs to read."""

from __future__ import annotations

import json
import math
from typing import Any

from reports.analysis.model_or_implementation import Weighed, weighed
from reports.analysis.variance import Interval
from reports.cases.cases import Analysis, Case
from reports.cases.core_shares import core_shares
from reports.cases.load import under_load
from verdicts.deciding import Verdict
from verdicts.statistics import Ratio

VERSION = 1
_DIGITS = 6  # significant ones


def verdicts(analysis: Analysis) -> dict[str, Any]:
    """The document: one entry for each case and metric, and one for each kind of work and metric that has cases
    enough."""
    entries = [
        _entry(analysis, case, metric, verdict) for case in analysis.cases for metric, verdict in case.verdicts.items()
    ]
    return {
        "$schema": "verdicts-1.schema.json",
        "schema_version": VERSION,
        "run": str(analysis.run.run.get("id", "")),
        "model_or_implementation": [_weighed(one) for one in weighed(analysis)],
        "cases": entries,
    }


def content(analysis: Analysis) -> bytes:
    """Of the file; an entry takes one line."""
    document = verdicts(analysis)
    entries = ",\n".join(json.dumps(entry, allow_nan=False) for entry in document.pop("cases"))
    head = json.dumps(document, allow_nan=False).removesuffix("}")
    return f'{head}, "cases": [\n{entries}\n]}}\n'.encode()


def _entry(analysis: Analysis, case: Case, metric: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "case": case.id,
        "workload": case.workload.id,
        "class": case.workload.class_,
        "metric": metric,
        "decides": metric == case.workload.metric,
        "kind": verdict.kind,
        "best_set": list(verdict.best_set),
        "slower": list(verdict.slower),
        "within": _rounded(verdict.within),
        "safe_choice": verdict.safe_choice,
        "regret": _rounded(verdict.regret),
        "rounds": verdict.rounds,
        "looks": verdict.looks,
        "eliminated": {model: rounds for model, rounds in verdict.eliminated.items() if model in verdict.slower},
        "ratios": {model: _ratio(ratio) for model, ratio in verdict.ratios.items()},
        "reason": verdict.reason,
        "under_load": under_load(analysis.run),
        "core_shares": {
            model: _rounded(share) for model, share in core_shares(case.cells, analysis.run.run.get("cores")).items()
        },
    }


def _weighed(one: Weighed) -> dict[str, Any]:
    return {
        "work": one.work,
        "class": one.class_,
        "metric": one.metric,
        "matters_more": one.answer,
        "model": _interval(one.shares.between),
        "implementation": _interval(one.shares.within),
        "measuring": _rounded(one.shares.measuring),
        "ratio": _interval(one.shares.ratio),
        "families": list(one.families),
        "cases": [spread.case.id for spread in one.spreads],
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    return {"value": _rounded(interval.value), "low": _rounded(interval.low), "high": _rounded(interval.high)}


def _ratio(ratio: Ratio) -> dict[str, float | None]:
    return {"value": _rounded(ratio.value), "low": _rounded(ratio.low), "high": _rounded(ratio.high)}


def _rounded(value: float | None) -> float | None:
    """None where it is unknown: JSON has no infinity."""
    return float(f"{value:.{_DIGITS}g}") if value is not None and math.isfinite(value) else None

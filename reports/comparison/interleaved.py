"""A check against a second revision: both programs of a model were measured in the same rounds, one right after the
other, so their ratio needs no other models."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from reports.cases.run import Cell, Run
from reports.comparison.compare import LOST, Change, Comparison, Lost, metrics_of
from verdicts.regression import SEEN, ratio
from vocabulary.terms import MAP_METRICS

_PLAINLY = 10  # times what it took before: what was projected has had one iteration at most


def compare_built(run: Run, metrics: Sequence[str] = ()) -> Comparison:
    """By time, by CPU and by what decides each workload, or by `metrics`."""
    changes: list[Change] = []
    lost: list[Lost] = []
    unmeasured: list[Lost] = []
    other_work, new = [], []
    for now, before in run.befores:
        if before is None:
            new.append(now.id)
        elif now.units != before.units or (now.checksum and before.checksum and now.checksum != before.checksum):
            other_work.append(now.id)
        elif now.status == before.status == "ok":
            found = [
                change for metric in metrics_of(now, metrics, MAP_METRICS) if (change := _change(now, before, metric))
            ]
            changes += found
            if not found:
                unmeasured.append(Lost(now.case, now.model, "fewer than two rounds"))
        elif before.status in ("ok", "not_run") and now.status != before.status:
            (lost if _is_lost(now, before) else unmeasured).append(
                Lost(now.case, now.model, f"{now.status.replace('_', ' ')} now: {now.reason}")
            )
        elif now.status == before.status == "not_run":
            unmeasured.append(Lost(now.case, now.model, now.reason))
    models = {model.id: model for model in run.models}
    lost += [
        Lost("", name, f"{models[name].status} now: {models[name].reason}")
        for name in run.lost_models
        if name in models
    ]
    return Comparison(tuple(changes), {}, tuple(lost), tuple(unmeasured), tuple(other_work), 0, 0, tuple(new))


def _change(now: Cell, before: Cell, metric: str) -> Change | None:
    series = now.series(metric), before.series(metric)
    estimate = ratio(*series)
    if estimate is None:
        return None
    old, new = (median(of.values.values()) for of in reversed(series))
    return Change(now.case, now.model, metric, old, new, estimate, looks=SEEN)


def _is_lost(now: Cell, before: Cell) -> bool:
    if now.status == "projected":
        return before.single_ns is not None and (now.projected_ns or 0) > _PLAINLY * before.single_ns
    return now.status in LOST

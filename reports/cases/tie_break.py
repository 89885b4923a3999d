"""If several models tie in time, CPU cost may separate them."""

from __future__ import annotations

from reports.cases.cases import Case


def cheaper(case: Case) -> tuple[str, float] | None:
    """The model of the best set by time that needs less CPU than all others of it, by more than 5 %, and its share of
    what the next of them needs."""
    time, cpu = case.verdicts["time"], case.verdicts["cpu"]
    if time.kind not in ("tie", "tie_within", "safe_choice", "open") or cpu.best not in time.best_set:
        return None
    others = [cpu.ratios[model].value for model in time.best_set if model in cpu.slower and model in cpu.ratios]
    if cpu.best is None or len(others) < len(time.best_set) - 1:
        return None
    return cpu.best, 1 / min(others)

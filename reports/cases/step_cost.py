"""What a step of mixed's computing takes on the machine of a run."""

from __future__ import annotations

from collections.abc import Iterable

from reports.cases.cases import Case


def step_ns(cases: Iterable[Case]) -> float | None:
    """The least CPU time that any model was measured to spend on one, because the rest is overhead. None where none
    computed anything."""
    measured = [(case, cpu) for case in cases if case.params.get("steps") for cpu in case.medians["cpu"].values()]
    return min((cpu / (case.params["tasks"] * case.params["steps"]) for case, cpu in measured), default=None)

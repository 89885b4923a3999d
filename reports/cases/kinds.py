"""Kinds of work: the classes of the workloads, I/O-bound work by how much of it goes on at once."""

from __future__ import annotations

from collections.abc import Sequence

from reports.cases.cases import Case
from vocabulary.terms import CLASS_NAMES

FEW = 100  # at once


def kinds(class_: str, cases: Sequence[Case]) -> list[tuple[str, list[Case]]]:
    """The cases of a class by kind; only I/O-bound work has two, where there are cases of both."""
    few = [case for case in cases if at_once(case) <= FEW]
    if class_ == "io" and few and len(few) < len(cases):
        return [
            (f"{CLASS_NAMES[class_]}, up to {FEW} at once", few),
            (f"{CLASS_NAMES[class_]}, more at once", [case for case in cases if case not in few]),
        ]
    return [(CLASS_NAMES[class_], list(cases))]


def at_once(case: Case) -> float:
    """How many items are alive at the same time; 1 where no param says so."""
    known = [
        case.params[key]
        for key in ("in_flight", "connections", "tasks")
        if isinstance(case.params.get(key), (int, float))
    ]
    return min(known, default=1)

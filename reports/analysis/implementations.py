"""Which models of a case are implementations of one family: the representative, and other implementations of the same
model.

Of each word (textbook, best, library) there is one at most, and each is of the size of the family's representative,
whose variant it says it is. The sizes of a pool, chunks and executors are choices of a user, no implementations: a wide
pool beside one of the cores would show what width does. Serial, peers and the twins of the A/A control stand for no
family.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median

from reports.analysis.variance import Value
from reports.cases.appearance import ordered
from reports.cases.cases import Case
from reports.cases.run import Cell, Model
from verdicts.statistics import Series, pair

_LEAST_ROUNDS = 3  # that two models share: a textbook one may have no more
Words = Mapping[str, str]  # word of engineering → model


def implementations(case: Case, models: Iterable[Model]) -> dict[str, Words]:
    """Of each family that competes, those that were measured. Empty where the run does not say whose work its models
    are."""
    known = {model.id: model for model in models}
    found: dict[str, Words] = {}
    for id in ordered(case.competing):
        model = known[id]
        if model.engineering is None or not _measured(case.cells.get(id)):
            continue
        words = {model.engineering: id}
        for other in known.values():
            if (
                other.variant_of == id
                and other.family == model.family
                and other.engineering is not None
                and _measured(case.cells.get(other.id))
            ):
                words.setdefault(other.engineering, other.id)
        found[model.family] = words
    return found


def _measured(cell: Cell | None) -> bool:
    return cell is not None and cell.status == "ok" and bool(cell.samples)


def log_values(case: Case, metric: str, models: Iterable[str]) -> dict[str, Value]:
    """Of each model the logarithm of its ratio to one of them, taken within the rounds that they share, and the
    variance of its measuring."""
    series = {model: case.cells[model].series(metric) for model in models}
    order = sorted(
        (model for model in series if series[model].values), key=lambda model: (-len(series[model].values), model)
    )
    if not order:
        return {}
    found = {order[0]: Value(0.0)}
    for model in order[1:]:
        if value := _beside(model, series, found):
            found[model] = value
    errors = [value.error for model, value in found.items() if model != order[0]]
    found[order[0]] = Value(0.0, median(errors) if errors else 0.0)
    return found


def _beside(model: str, series: Mapping[str, Series], known: Mapping[str, Value]) -> Value | None:
    """By way of the model with which it shares the most rounds: the rounds of a variant are not those of all others."""

    def shared(other: str) -> int:
        return len(series[model].values.keys() & series[other].values.keys())

    beside = max(known, key=shared)
    bounds = pair(series[model], series[beside], _LEAST_ROUNDS)
    # Each of the two has half of the error of their ratio.
    return None if bounds is None else Value(known[beside].value + bounds.value, bounds.error**2 / 2)

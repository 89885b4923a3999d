"""Model or implementation: how far families differ, and how far the implementations of one family do; per case and per
kind of work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.analysis.implementations import implementations, log_values
from reports.analysis.variance import Components, Interval, Value, components
from reports.cases import quantities
from reports.cases.cases import Analysis, Case
from reports.cases.counting import paced
from reports.cases.kinds import kinds
from reports.cases.load import withheld
from reports.cases.phrases import Headline, listed
from verdicts.statistics import MARGIN
from vocabulary.terms import CLASS_NAMES, FAMILY_NAMES, MAP_METRICS, METRIC_NAMES

LEAST_FAMILIES = 2  # of a case that have two implementations; with fewer it says nothing of implementations
LEAST_CASES = 5  # of a kind of work; fewer do not show how cases differ
Answer = Literal["model", "implementation", "neither", "about as much"]


@dataclass(frozen=True)
class Spread:
    """Of one case and metric. `values`: family → word of engineering → logarithm of the ratio to some model; the first
    word is that of the one that stands for the family."""

    case: Case
    metric: str
    models: Mapping[str, Mapping[str, str]]  # family → word → model
    values: Mapping[str, Mapping[str, Value]]

    @property
    def within(self) -> dict[str, float]:
        """Of each family with several implementations the slowest over the fastest."""
        return {
            family: _spread([one.value for one in of.values()]) for family, of in self.values.items() if len(of) > 1
        }

    @property
    def between(self) -> float:
        """Of the families' best the slowest over the fastest."""
        return _spread([min(one.value for one in of.values()) for of in self.values.values()])


def _spread(logs: Sequence[float]) -> float:
    return math.exp(max(logs) - min(logs))


@dataclass(frozen=True)
class Weighed:
    """Of a kind of work, by one metric: what part of the variance of its logarithm within cases is due to what."""

    work: str
    class_: str
    metric: str
    spreads: tuple[Spread, ...]
    shares: Components  # between and within families; the ratio is implementation / model

    @property
    def families(self) -> tuple[str, ...]:
        """Those of which some case has several implementations."""
        return tuple(dict.fromkeys(family for spread in self.spreads for family in spread.within))

    @property
    def answer(self) -> Answer:
        """Which of the two matters more, where the interval tells."""
        if self.shares.spread < math.log(MARGIN) or self.shares.measuring > 0.5:
            return "neither"
        if self.shares.ratio.low > 1:
            return "implementation"
        return "model" if self.shares.ratio.high < 1 else "about as much"


def spreads(analysis: Analysis, class_: str, metric: str) -> tuple[Spread, ...]:
    """The cases of a class that have several implementations of enough families."""
    if withheld(analysis.run, metric):
        return ()
    cases = [case for row in analysis.rows_of(class_) for case in row.cases if metric != "time" or not paced(case)]
    found = (_of_case(case, metric, analysis) for case in cases)
    return tuple(spread for spread in found if len(spread.within) >= LEAST_FAMILIES)


def _of_case(case: Case, metric: str, analysis: Analysis) -> Spread:
    models = implementations(case, analysis.run.models)
    known = log_values(case, metric, [model for words in models.values() for model in words.values()])
    # that which stands for it
    measured = {family: words for family, words in models.items() if next(iter(words.values())) in known}
    values = {
        family: {word: known[model] for word, model in words.items() if model in known}
        for family, words in measured.items()
    }
    return Spread(case, metric, measured, values)


def metrics_of(class_: str) -> tuple[str, ...]:
    """By which the implementations of a class of work are weighed."""
    return ("memory",) if class_ == "memory" else MAP_METRICS


def weighed(analysis: Analysis) -> tuple[Weighed, ...]:
    """For each kind of work and metric that has cases enough."""
    found = []
    for class_ in analysis.classes:
        for metric in metrics_of(class_):
            all_spreads = spreads(analysis, class_, metric)
            of = {spread.case.id: spread for spread in all_spreads}
            parts = kinds(class_, [spread.case for spread in all_spreads])
            if any(len(cases) < LEAST_CASES for _, cases in parts):  # then all of the class together, if that is enough
                parts = [(CLASS_NAMES[class_], [spread.case for spread in all_spreads])]
            found += [
                _weighed(work, class_, metric, [of[case.id] for case in cases])
                for work, cases in parts
                if len(cases) >= LEAST_CASES
            ]
    works = list(dict.fromkeys(one.work for one in found))
    return tuple(sorted(found, key=lambda one: works.index(one.work)))


def _weighed(work: str, class_: str, metric: str, of: Sequence[Spread]) -> Weighed:
    return Weighed(work, class_, metric, tuple(of), components([list(spread.values.values()) for spread in of]))


def sentences(found: Sequence[Weighed]) -> list[Headline]:
    """One for each kind of work, with its metrics."""
    by_work: dict[str, list[Weighed]] = {}
    for one in found:
        by_work.setdefault(one.work, []).append(one)
    return [Headline(work, f"{'; '.join(map(_in_words, of))}. {_basis(of[0])}") for work, of in by_work.items()]


def _in_words(one: Weighed) -> str:
    shares = (
        f"model {quantities.percent(one.shares.between.value)}, implementation"
        f" {quantities.percent(one.shares.within.value)} of the variance"
    )
    if interval := interval_in_words(one):
        shares += f", 95 % interval of the ratio {interval}"
    return f"by {METRIC_NAMES[one.metric]} {answer_in_words(one)} ({shares})"


def answer_in_words(one: Weighed) -> str:
    """Which of the two matters, and how much more."""
    if one.answer == "neither":
        return "neither the model nor the implementation is shown to make a difference of over 5 %"
    if one.answer == "about as much":
        return "the implementation matters about as much as the model"
    other, ratio = "model" if one.answer == "implementation" else "implementation", _ratio(one)
    if math.isinf(ratio.low):
        return f"the {one.answer} matters, the {other} is not shown to"
    return (
        f"the {one.answer} matters"
        f" {f'over {_digits(ratio.low)}' if math.isinf(ratio.value) else _digits(ratio.value)} times as much as the"
        f" {other}"
    )


def _ratio(one: Weighed) -> Interval:
    """Of what matters more to the other; of implementation to model where that is open."""
    return one.shares.ratio.inverse if one.answer == "model" else one.shares.ratio


def interval_in_words(one: Weighed) -> str:
    """Of the ratio; empty where there is none."""
    ratio = _ratio(one)
    if one.answer == "neither" or math.isinf(ratio.low):
        return ""
    return (
        f"{_digits(ratio.low)} or more" if math.isinf(ratio.high) else f"{_digits(ratio.low)} to {_digits(ratio.high)}"
    )


def _digits(number: float) -> str:
    """Two that count: more would be noise."""
    rounded = float(f"{number:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def _basis(one: Weighed) -> str:
    names = listed([FAMILY_NAMES.get(family, family) for family in one.families])
    return f"From {quantities.counted(len(one.spreads), 'case')}; several implementations of {names}."

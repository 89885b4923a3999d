"""The model in focus: in each case its ratio to a reference within rounds, whether or not it competes, and the words
for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from reports.cases import load, quantities
from reports.cases.cases import Analysis, Case
from reports.cases.counting import judged
from reports.cases.phrases import Headline, absence, interval_in_words
from reports.cases.run import Cell, Focus
from verdicts.deciding import CLEARLY_SLOWER, between, ratio_of
from verdicts.statistics import Ratio, common_rounds
from vocabulary.looks import looks_of
from vocabulary.terms import MAP_METRICS, METRIC_NAMES

Standing = Literal["ahead", "behind", "open", "none"]
_BETTER_WORSE = {
    "time": ("faster", "slower"),
    "latency": ("faster", "slower"),
    "cpu": ("cheaper", "dearer"),
    "memory": ("smaller", "larger"),
}


@dataclass(frozen=True)
class Pairing:
    """The model in front over its reference, in one case by one metric."""

    case: Case
    metric: str
    reference: str  # empty: there is none
    standing: Standing  # where the interval leaves 1 out; none: there is nothing to compare, for the reason given
    ratio: Ratio | None = None
    bound: Literal["", "≥", "≤"] = ""  # where only one side of the ratio is known
    reason: str = ""


def pairings(analysis: Analysis, metric: str) -> tuple[Pairing, ...]:
    """One for each case that the model in front has a cell in; none without such a model."""
    focus = analysis.focus
    if focus is None:
        return ()
    cases = (case for case in judged(analysis.cases, metric) if metric in case.verdicts and focus.model in case.cells)
    return tuple(_pairing(analysis, case, metric, focus) for case in cases)


def _pairing(analysis: Analysis, case: Case, metric: str, focus: Focus) -> Pairing:
    reference = focus.against or _best_other(case, metric, focus.model)
    own, other = case.cells[focus.model], case.cells.get(reference)
    if reason := load.withheld(analysis.run, metric):
        return Pairing(case, metric, reference, "none", reason=reason)
    if other is None:
        return Pairing(
            case,
            metric,
            reference,
            "none",
            reason=f"{reference} was not measured" if reference else "no rival was measured",
        )
    for cell in (own, other):
        if (
            cell.status != "ok"
            and not (cell.status == "projected" and metric == "time")
            or (cell.status == "ok" and not cell.by_round(metric))
        ):
            return Pairing(case, metric, reference, "none", reason=f"{cell.model}: {absence(cell)}")
    if "projected" in (own.status, other.status):
        return _projected(case, reference, own, other)
    over, under = own.series(metric), other.series(metric)
    if not common_rounds(over, under):
        return Pairing(case, metric, reference, "none", reason="no round in common")
    verdict, least = case.verdicts[metric], looks_of(case.workload.metric)[0]
    bounds = between(over, under, least)
    ratio = _as_shown(case, metric, own.model, reference) or ratio_of(bounds)
    if ratio.low is not None and ratio.high is not None:
        return Pairing(
            case, metric, reference, "ahead" if ratio.high < 1 else "behind" if ratio.low > 1 else "open", ratio
        )
    if bounds.low > 0 or (own.model in verdict.slower and reference in verdict.best_set):
        return Pairing(case, metric, reference, "behind", ratio)
    if between(under, over, least).low > 0 or (reference in verdict.slower and own.model in verdict.best_set):
        return Pairing(case, metric, reference, "ahead", ratio)
    return Pairing(case, metric, reference, "open", ratio, reason="too few rounds")


def _best_other(case: Case, metric: str, model: str) -> str:
    """Of those that compete; empty without one."""
    verdict = case.verdicts[metric]
    if verdict.best and verdict.best != model:
        return verdict.best
    rivals = {
        rival: verdict.ratios[rival].value for rival in case.competing if rival != model and rival in verdict.ratios
    }
    return min(rivals, key=lambda rival: (rivals[rival], rival), default="")


def _as_shown(case: Case, metric: str, model: str, reference: str) -> Ratio | None:
    """Where the verdict has the ratio already, that: it is of the rounds of its look."""
    verdict = case.verdicts[metric]
    if verdict.best == reference:
        return verdict.ratios.get(model)
    return _inverse(verdict.ratios[reference]) if verdict.best == model and reference in verdict.ratios else None


def _inverse(ratio: Ratio) -> Ratio:
    return Ratio(1 / ratio.value, 1 / ratio.high if ratio.high else None, 1 / ratio.low if ratio.low else None)


def _projected(case: Case, reference: str, own: Cell, other: Cell) -> Pairing:
    """Of one that would have taken too long the least time is known."""
    if own.status == other.status:
        return Pairing(case, "time", reference, "none", reason="both are projected")
    slow, fast = (own, other) if own.status == "projected" else (other, own)
    times = (slow.projected_ns or 0) / median(fast.by_round("time").values())
    if times < CLEARLY_SLOWER:
        return Pairing(case, "time", reference, "none", reason=f"{slow.model}: {absence(slow)}")
    return (
        Pairing(case, "time", reference, "behind", Ratio(times), "≥")
        if slow is own
        else Pairing(case, "time", reference, "ahead", Ratio(1 / times), "≤")
    )


def opponent(focus: Focus) -> str:
    """Whom the focus is compared with, in words."""
    return focus.against or "the best of the others in each case"


def in_words(pairing: Pairing, interval: bool = True) -> str:
    """1.80× faster (1.60–2.00×); open (0.92–1.21×)."""
    ratio = pairing.ratio
    if pairing.standing == "none" or ratio is None:
        return f"– {pairing.reason}"
    if pairing.standing == "open":
        return f"open ({pairing.reason or interval_in_words(ratio)})"
    word = _BETTER_WORSE[pairing.metric][pairing.standing == "behind"]
    shown = ratio if pairing.standing == "behind" else _inverse(ratio)
    least = "≥ " if pairing.bound else ""
    return f"{least}{quantities.ratio(shown.value)} {word}" + (
        f" ({interval_in_words(shown)})" if interval and shown.low is not None else ""
    )


def told_against(pairing: Pairing) -> str:
    """With the name of the reference, unless there is nothing to tell."""
    return in_words(pairing) + (f" against {pairing.reference}" if pairing.standing != "none" else "")


def counted(found: Sequence[Pairing]) -> str:
    """faster in 7 of 20 cases, slower in 9, 4 open."""
    compared = [pairing for pairing in found if pairing.standing != "none"]
    if not compared:
        return f"not compared in any case ({found[0].reason})" if found else "not measured in any case"
    better, worse = _BETTER_WORSE[found[0].metric]
    ahead, behind, undecided = (
        sum(pairing.standing == standing for pairing in compared) for standing in ("ahead", "behind", "open")
    )
    without = len(found) - len(compared)
    return (
        f"{better} in {ahead} of {quantities.counted(len(compared), 'case')}, {worse} in {behind}, {undecided} open"
        + (f"; {without} not compared" if without else "")
    )


def _extremes(found: Sequence[Pairing], focus: Focus) -> str:
    told = ""
    for standing, words, most in (("ahead", "at best", min), ("behind", "at worst", max)):
        shown = [
            (pairing.ratio.value, place, pairing)
            for place, pairing in enumerate(found)
            if pairing.standing == standing and pairing.ratio
        ]
        if shown:
            pairing = most(shown)[2]
            against = "" if focus.against else f" than {pairing.reference}"
            told += f"; {words} {in_words(pairing)}{against} in {pairing.case.workload.id}, {pairing.case.label}"
    return told


def _metrics(analysis: Analysis) -> list[str]:
    """Those of the maps, and whatever else decides a workload."""
    return list(dict.fromkeys((*MAP_METRICS, *(row.workload.metric for row in analysis.rows))))


def headlines(analysis: Analysis) -> list[Headline]:
    """One for each metric; none without a model in front."""
    focus = analysis.focus
    if focus is None:
        return []
    found = [(metric, pairings(analysis, metric)) for metric in _metrics(analysis)]
    return [
        Headline(
            (
                f"{focus.model} against {opponent(focus)}, by"
                f" {METRIC_NAMES[metric]}{load.mark(analysis.run) if metric == 'cpu' else ''}"
            ),
            f"{counted(of)}{_extremes(of, focus)}.",
        )
        for metric, of in found
        if metric in MAP_METRICS or any(pairing.standing != "none" for pairing in of)
    ]


def line(analysis: Analysis) -> str:
    """For a terminal; empty without a model in front."""
    if analysis.focus is None:
        return ""
    told = "; ".join(f"by {METRIC_NAMES[metric]} {counted(pairings(analysis, metric))}" for metric in MAP_METRICS)
    return f"{analysis.focus.model} against {opponent(analysis.focus)}: {told}"

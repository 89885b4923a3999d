"""The words for verdicts and outcomes, the same in figures, tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.cases import quantities
from reports.cases.cases import Case
from reports.cases.run import Cell
from reports.cases.tie_break import cheaper
from verdicts.deciding import Verdict
from verdicts.statistics import Ratio
from vocabulary import outcomes


@dataclass(frozen=True)
class Headline:
    """A sentence of the summary: how it begins, and the rest."""

    lead: str
    text: str


def listed(names: Sequence[str], last: str = "and") -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}" if names else ""


def kind_in_words(verdict: Verdict) -> str:
    """In a few words, without the names of the best set."""
    if verdict.kind == "ahead":
        return f"ahead by {_lead(verdict)}"
    if verdict.kind == "tie":
        return f"tie of {len(verdict.best_set)}"
    if verdict.kind == "tie_within" and verdict.within is not None:
        return f"tie within {quantities.at_most(verdict.within)}"
    if verdict.kind == "safe_choice" and verdict.regret is not None:
        return (
            f"open; safe choice {verdict.safe_choice}, {_within(verdict.regret, 'less than', 'at most')} from the best"
        )
    if verdict.kind == "none":
        return "no rival" if verdict.best_set else "no verdict"
    return verdict.kind


def verdict_in_words(verdict: Verdict) -> str:
    """With the names: of whom it speaks, and how far they are ahead."""
    names, kind = listed(verdict.best_set), kind_in_words(verdict)
    if verdict.kind == "wins":
        return f"{names} wins, {margin_in_words(verdict)}"
    if verdict.kind == "ahead":
        return f"{verdict.best} is ahead of {verdict.best_set[1]} by {_lead(verdict)}"
    if verdict.kind in ("tie", "tie_within"):
        return f"{kind}: {names}"
    if verdict.kind == "none":
        return f"{names} has {kind}" if names else f"{kind} ({verdict.reason})"
    why = f" ({verdict.reason})" if verdict.reason else ""
    return f"open between {names}{kind.removeprefix('open')}{left_behind(verdict)}{why}"


def case_in_words(case: Case, metric: str) -> str:
    """The verdict with the names; where time leaves several models and CPU cost tells them apart, both."""
    found = cheaper(case) if metric == "time" else None
    return verdict_in_words(case.verdicts[metric]) + (f", {found[0]} at {found[1]:.2g} of the CPU" if found else "")


def leaders(verdict: Verdict) -> tuple[str, ...]:
    """Those of the best set that may be the best."""
    return verdict.best_set[:1] if verdict.kind == "ahead" else verdict.best_set


def runner_up(verdict: Verdict) -> str | None:
    """The nearest of those that were shown to be more than 5 % slower and have a ratio."""
    return next((m for m in verdict.slower if m in verdict.ratios), None)


_NAMED = 2  # of those that are behind; the others are counted


def left_behind(verdict: Verdict) -> str:
    """Of a verdict that is open those that are shown to be slower than whichever is best, and by how much at least;
    empty without any. The true best is at least as fast as the best of the estimates."""
    if verdict.decided or verdict.kind == "none" or not verdict.slower:
        return ""
    rest = len(verdict.slower) - _NAMED
    names = listed([*verdict.slower[:_NAMED], *([f"{rest} more"] if rest > 0 else [])])
    ratios = [verdict.ratios.get(model) for model in verdict.slower]
    lows = [ratio.low for ratio in ratios if ratio is not None and ratio.low is not None]
    return (
        f"; {names} at least {quantities.ratio(min(lows))} behind the best"
        if len(lows) == len(ratios)
        else f"; {names} clearly behind the best"
    )


def margin_in_words(verdict: Verdict) -> str:
    """How far the best set is ahead of the others, in a few words."""
    if verdict.kind == "none":
        return verdict.reason
    nearest = runner_up(verdict)
    if nearest:
        return f"{quantities.ratio(verdict.ratios[nearest].value)} ahead of {nearest}"
    return (
        "all others stopped or projected"
        if verdict.kind == "wins"
        else verdict.reason or "nobody is shown to be more than 5 % slower"
    )


def _lead(verdict: Verdict, between: str = " to ") -> str:
    """Of one that is ahead the interval of the ratio of the nearest other one."""
    ratio = verdict.ratios[verdict.best_set[1]]
    return quantities.span((ratio.low or 1.0) - 1, (ratio.high or ratio.value) - 1, between)


def _within(regret: float, less: str, most: str) -> str:
    return f"{less} 1 %" if regret < 0.005 else f"{most} {quantities.at_most(regret)}"


def number(verdict: Verdict) -> str:
    """What a tile says beside its letters."""
    if verdict.kind == "wins":
        nearest = runner_up(verdict)
        return quantities.ratio(verdict.ratios[nearest].value) if nearest else "alone"
    if verdict.kind == "ahead":
        return _lead(verdict, "–")
    if verdict.kind == "tie_within" and verdict.within is not None:
        return quantities.at_most(verdict.within)
    if verdict.kind == "safe_choice" and verdict.regret is not None:
        return _within(verdict.regret, "<", "≤")
    return ""


def absence(cell: Cell | None) -> str:
    """Why a model has no ratio in a case."""
    if cell is None:
        return "not part of this run"
    if cell.status == "projected" and cell.projected_ns is not None:
        return f"projected ≥ {quantities.duration(cell.projected_ns)}"
    if cell.status != "ok":
        return outcomes.name(cell.status)
    return "too few latencies" if cell.samples else "no samples"


def interval_in_words(ratio: Ratio) -> str:
    """The bounds of a ratio, as in 1.05–1.20×."""
    if ratio.low is None or ratio.high is None:
        return "no interval"
    return f"{quantities.ratio(ratio.low)[:-1]}–{quantities.ratio(ratio.high)}"

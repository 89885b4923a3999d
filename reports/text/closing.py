"""The last lines of a run on the terminal: what it decided, and whether it can be trusted."""

from __future__ import annotations

from reports.analysis import focus
from reports.analysis.aa_control import aa_pairs
from reports.cases import load, quantities
from reports.cases.cases import Analysis
from reports.cases.phrases import kind_in_words, left_behind, verdict_in_words
from reports.text.headlines import most_telling, says_something, told_by
from verdicts import aa_control
from vocabulary.terms import CLASS_NAMES, METRIC_NAMES

NEAR = 0.10  # from the best: a safe choice that needs no more rounds
_CLASSES = 4  # of which the clearest answer is told


def closing(analysis: Analysis) -> list[str]:
    """At most six; one more for a model in front, and one where other programs ran."""
    answers = [told for class_ in analysis.classes if (told := _clearest(analysis, class_))]
    loaded = load.warning(analysis.run)
    front = focus.line(analysis)
    return [
        *([front] if front else []),
        _decided(analysis),
        *answers[:_CLASSES],
        _control(analysis),
        *([f"! {loaded}"] if loaded else []),
    ]


def _decided(analysis: Analysis) -> str:
    verdicts = [
        verdict for case in analysis.cases if (verdict := case.verdicts[told_by(analysis, case)]).kind != "none"
    ]
    decided = sum(verdict.decided for verdict in verdicts)
    safe = sum(not verdict.decided and verdict.regret is not None and verdict.regret <= NEAR for verdict in verdicts)
    rest = len(verdicts) - decided - safe
    without = len(analysis.cases) - len(verdicts)
    by = ", by CPU cost instead of time" if load.under_load(analysis.run) else ""
    return (
        f"{quantities.counted(len(verdicts), 'case')}{by}: {decided} decided, {safe} with a safe choice within 10 % of"
        f" the best, {rest} open" + (f"; {without} without a verdict" if without else "")
    )


def _clearest(analysis: Analysis, class_: str) -> str:
    case = most_telling(analysis, class_)
    if case is None:
        return ""
    metric = told_by(analysis, case)
    verdict = case.verdicts[metric]
    if not says_something(verdict):
        return ""
    by = "" if metric == "time" else f"; by {METRIC_NAMES[metric]}{load.mark(analysis.run)}"
    told = verdict_in_words(verdict) if verdict.decided else f"{kind_in_words(verdict)}{left_behind(verdict)}"
    return f"{CLASS_NAMES[class_]}: {told} ({case.workload.id}, {case.label}{by})"


def _control(analysis: Analysis) -> str:
    pairs = aa_pairs(analysis.run)
    if not pairs:
        return "A/A control: none in this run"
    alarms = sum(pair.apart for pair in pairs)
    name = "! Not trustworthy" if aa_control.distrusted(len(pairs), alarms) else "A/A control"
    return (
        f"{name}: {quantities.counted(len(pairs), 'comparison')} of a model with itself,"
        f" {quantities.counted(alarms, 'false alarm')}, {aa_control.expected(len(pairs)):.2g} expected by chance"
    )

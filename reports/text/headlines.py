"""The sentences at the top of a report, made from verdicts: each names its metric and its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from reports.analysis.crossings import Overtaking, in_words, lines, overtakings
from reports.cases import load, quantities
from reports.cases.appearance import ordered
from reports.cases.cases import Analysis, Case, Row
from reports.cases.counting import counts, judged, paced
from reports.cases.phrases import Headline, interval_in_words, kind_in_words, leaders, left_behind, listed, runner_up
from verdicts.deciding import Verdict
from vocabulary.terms import CLASS_NAMES, MAP_METRICS, METRIC_NAMES

_MOST_CHANGES = 8


def headlines(analysis: Analysis) -> list[Headline]:
    """The counts for both maps, then for each class the case that says most."""
    sentences = [_counts(analysis, metric) for metric in MAP_METRICS]
    sentences += [telling for class_ in analysis.classes if (telling := _of_class(analysis, class_))]
    return sentences


def changes(analysis: Analysis) -> list[str]:
    """Where the winner changes with the size: first with the place and its interval, then neighbouring cases between
    which it is not known."""
    found, placed = [], set()
    for metric in MAP_METRICS:
        for row in analysis.rows:
            for key in row.varying:
                for line in lines(row, key):
                    for overtaking in overtakings(line, metric):
                        found.append(_overtaking(row, overtaking))
                        placed.add((row.workload.id, metric))
    for metric in MAP_METRICS:
        for row in analysis.rows:
            if (row.workload.id, metric) not in placed:
                found += [
                    _change(row, metric, a, b)
                    for a, b in zip(row.cases, row.cases[1:], strict=False)
                    if _differ(a.verdicts[metric], b.verdicts[metric])
                ]
    rest = len(found) - _MOST_CHANGES
    return found[:_MOST_CHANGES] + ([f"{rest} more: see the winner maps."] if rest > 0 else [])


def _overtaking(row: Row, o: Overtaking) -> str:
    where = f"{row.workload.id}{f', {o.line.rest}' if o.line.rest else ''}, {METRIC_NAMES[o.metric]}"
    return f"{where}: {o.before} before {in_words(o)}, {o.after} beyond it."


def _counts(analysis: Analysis, metric: str) -> Headline:
    if reason := load.withheld(analysis.run, metric):
        return Headline(f"By {METRIC_NAMES[metric]}", f"no verdict, {reason}.")
    verdicts = [case.verdicts[metric] for case in judged(analysis.cases, metric)]
    return Headline(
        f"By {METRIC_NAMES[metric]}{load.mark(analysis.run)}",
        f"{quantities.counted(len(verdicts), 'case')}: {listed(counts(verdicts)) or 'nothing to compare'}.",
    )


def most_telling(analysis: Analysis, class_: str) -> Case | None:
    """Where one wins the case in which it is furthest ahead, else that of the widest lead of a best set, else that of
    the safest choice; by what tells each case.

    Where serial is ahead of them all, concurrency is no advice, so those come last.
    """

    def telling(case: Case) -> tuple[bool, bool, float, bool, float]:
        metric = told_by(analysis, case)
        verdict = case.verdicts[metric]
        lead = _lead(verdict)
        return (
            lead > 0 and case.baseline(metric) is None,
            verdict.kind == "wins",
            lead,
            says_something(verdict),
            -(verdict.regret or 0.0),
        )

    cases = [case for row in analysis.rows_of(class_) for case in row.cases]
    return max(cases, key=telling) if cases else None


def told_by(analysis: Analysis, case: Case) -> str:
    """The metric that decides the case, or what stands in for it."""
    return load.judged_by(analysis.run, case.workload.metric)


def says_something(verdict: Verdict) -> bool:
    """At least a safe choice, or who is not the best."""
    return verdict.decided or verdict.kind == "safe_choice" or bool(left_behind(verdict))


def _lead(verdict: Verdict) -> float:
    nearest = verdict.best_set[1] if verdict.kind == "ahead" else runner_up(verdict)
    return verdict.ratios[nearest].value if nearest and verdict.decided else 0.0


def _of_class(analysis: Analysis, class_: str) -> Headline | None:
    case = most_telling(analysis, class_)
    if case is None or not says_something(case.verdicts[told_by(analysis, case)]):
        return None
    metrics = [
        metric
        for metric in dict.fromkeys((case.workload.metric, *MAP_METRICS))
        if (metric != "time" or not paced(case)) and not load.withheld(analysis.run, metric)
    ]
    parts = [f"{METRIC_NAMES[metric]}: {_verdict_in_words(case, metric)}" for metric in metrics]
    return Headline(
        f"{CLASS_NAMES[class_]}{load.mark(analysis.run)}",
        f"{case.workload.id}, {case.label}. {'. '.join(part[0].upper() + part[1:] for part in parts)}.",
    )


def _verdict_in_words(case: Case, metric: str) -> str:
    verdict, medians = case.verdicts[metric], case.medians[metric]
    if verdict.best is None:
        return f"no verdict ({verdict.reason})"
    value = quantities.value(metric, medians[verdict.best])
    members = listed(ordered(verdict.best_set))
    if verdict.kind == "none":
        return f"only {members} was measured ({value})"
    if not verdict.decided:
        return (
            f"open between {members}, about {value}{kind_in_words(verdict).removeprefix('open')}{left_behind(verdict)}"
        )
    subject = (
        f"{verdict.best} wins"
        if verdict.kind == "wins"
        else f"{verdict.best} is ahead"
        if verdict.kind == "ahead"
        else f"{kind_in_words(verdict)} ({members})"
    )
    return f"{subject}, {value}" + _against(verdict, metric, medians) + _aside(case, metric)


def _against(verdict: Verdict, metric: str, medians: Mapping[str, float]) -> str:
    nearest = verdict.best_set[1] if verdict.kind == "ahead" else runner_up(verdict)
    if nearest is None:
        return ""
    ratio = verdict.ratios[nearest]
    interval = f", 95 % interval {interval_in_words(ratio)}" if ratio.low is not None else ""
    return (
        f" against {quantities.value(metric, medians[nearest])} for {nearest} ({quantities.ratio(ratio.value)} within"
        f" rounds{interval})"
    )


def _aside(case: Case, metric: str) -> str:
    """A winner that loses to no concurrency at all is no advice."""
    baseline = case.baseline(metric)
    return f"; serial, one after another, takes {quantities.ratio(baseline.value)} of that" if baseline else ""


def _differ(a: Verdict, b: Verdict) -> bool:
    return a.decided and b.decided and not set(leaders(a)) & set(leaders(b))


def _change(row: Row, metric: str, a: Case, b: Case) -> str:
    before, after = ordered(leaders(a.verdicts[metric])), ordered(leaders(b.verdicts[metric]))
    return f"{row.workload.id}, {METRIC_NAMES[metric]}: {listed(before)} at {a.label}, {listed(after)} at {b.label}."

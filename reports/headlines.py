"""The sentences at the top of a report, made from verdicts: each names its metric and its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from reports import quantities
from reports.analysis import MAP_METRICS, METRIC_NAMES, Analysis, Case, Row
from reports.lines import Overtaking, in_words, lines, overtakings
from reports.models import ordered
from reports.statistics import Verdict
from reports.words import CLASS_NAMES, interval_in_words, listed, runner_up

_MOST_CHANGES = 8


@dataclass(frozen=True)
class Headline:
    lead: str
    text: str


def headlines(analysis: Analysis) -> list[Headline]:
    """The counts for both maps, then for each class the case that says most."""
    sentences = [_counts(analysis, metric) for metric in MAP_METRICS]
    sentences += [telling for class_ in analysis.classes if (telling := _of_class(analysis, class_))]
    return sentences


def changes(analysis: Analysis) -> list[str]:
    """Where the winner changes with the size: first with the place and its interval, then neighbouring cases between which it is not known."""
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
                found += [_change(row, metric, a, b) for a, b in zip(row.cases, row.cases[1:], strict=False) if _differ(a.verdicts[metric], b.verdicts[metric])]
    rest = len(found) - _MOST_CHANGES
    return found[:_MOST_CHANGES] + ([f"{rest} more: see the winner maps."] if rest > 0 else [])


def _overtaking(row: Row, o: Overtaking) -> str:
    where = f"{row.workload.id}{f', {o.line.rest}' if o.line.rest else ''}, {METRIC_NAMES[o.metric]}"
    return f"{where}: {o.before} before {in_words(o)}, {o.after} beyond it."


def _counts(analysis: Analysis, metric: str) -> Headline:
    verdicts = [case.verdicts[metric] for case in analysis.cases]
    wins = Counter(v.best for v in verdicts if v.kind == "wins" and v.best)
    parts = [f"{model} wins {count}" for model, count in sorted(wins.items(), key=lambda item: (-item[1], item[0]))]
    kinds = Counter(v.kind for v in verdicts)
    if kinds["tie"]:
        parts.append(f"{kinds['tie']} {'is a tie' if kinds['tie'] == 1 else 'are ties'}")
    if kinds["unresolved"]:
        parts.append(f"{kinds['unresolved']} {'is' if kinds['unresolved'] == 1 else 'are'} not separated")
    if kinds["unopposed"]:
        parts.append(f"{kinds['unopposed']} had no rival")
    if kinds["none"]:
        parts.append(f"{kinds['none']} {'has' if kinds['none'] == 1 else 'have'} no verdict")
    return Headline(f"By {METRIC_NAMES[metric]}", f"{quantities.counted(len(verdicts), 'case')}: {listed(parts) or 'nothing to compare'}.")


def most_telling(analysis: Analysis, class_: str) -> Case | None:
    """The case in which the best set is furthest ahead of the next one; where serial is ahead of them all, concurrency is no advice, so those come last."""

    def telling(case: Case) -> tuple[bool, float]:
        return _lead(case) > 0 and case.baseline(case.workload.metric) is None, _lead(case)

    cases = [case for row in analysis.rows_of(class_) for case in row.cases]
    return max(cases, key=telling) if cases else None


def _lead(case: Case) -> float:
    nearest = runner_up(case.deciding)
    return case.deciding.ratios[nearest].value if nearest and case.deciding.decided else 0.0


def _of_class(analysis: Analysis, class_: str) -> Headline | None:
    case = most_telling(analysis, class_)
    if case is None or not _lead(case):
        return None
    metrics = dict.fromkeys((case.workload.metric, *MAP_METRICS))
    parts = [f"{METRIC_NAMES[metric]}: {_verdict_in_words(case, metric)}" for metric in metrics]
    return Headline(CLASS_NAMES[class_], f"{case.workload.id}, {case.label}. {'. '.join(part[0].upper() + part[1:] for part in parts)}.")


def _verdict_in_words(case: Case, metric: str) -> str:
    verdict, medians = case.verdicts[metric], case.medians[metric]
    if verdict.best is None:
        return f"no verdict ({verdict.reason})"
    value = quantities.value(metric, medians[verdict.best])
    members = listed(ordered(verdict.best_set))
    if verdict.kind == "unresolved":
        return f"not separated: {members}, about {value}"
    if verdict.kind == "unopposed":
        return f"only {members} was measured ({value})"
    subject = f"{members} wins, {value}" if verdict.kind == "wins" else f"a tie of {members}, {value}"
    return subject + _against(verdict, metric, medians) + _aside(case, metric)


def _against(verdict: Verdict, metric: str, medians: Mapping[str, float]) -> str:
    nearest = runner_up(verdict)
    if nearest is None:
        return ""
    ratio = verdict.ratios[nearest]
    interval = f", 95 % interval {interval_in_words(ratio)}" if ratio.low is not None else ""
    return f" against {quantities.value(metric, medians[nearest])} for {nearest} ({quantities.ratio(ratio.value)}{interval})"


def _aside(case: Case, metric: str) -> str:
    """A winner that loses to no concurrency at all is no advice."""
    baseline = case.baseline(metric)
    return f"; serial, one after another, takes {quantities.ratio(baseline.value)} of that" if baseline else ""


def _differ(a: Verdict, b: Verdict) -> bool:
    return a.decided and b.decided and not set(a.best_set) & set(b.best_set)


def _change(row: Row, metric: str, a: Case, b: Case) -> str:
    before, after = ordered(a.verdicts[metric].best_set), ordered(b.verdicts[metric].best_set)
    return f"{row.workload.id}, {METRIC_NAMES[metric]}: {listed(before)} at {a.label}, {listed(after)} at {b.label}."

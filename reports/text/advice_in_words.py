"""Advice as lines for a terminal: the answer with its bound, the figures of each model, and the evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reports.analysis.advice import Advice, Option, Question
from reports.analysis.surface import NEAR_RATIO, Work
from reports.cases import quantities
from reports.cases.appearance import ordered
from reports.cases.phrases import absence, interval_in_words, kind_in_words, listed, margin_in_words, verdict_in_words
from reports.cases.quantities import at_most, duration, ratio, size, three_digits
from reports.comparison.side_by_side import table
from verdicts.deciding import Verdict
from verdicts.statistics import MARGIN
from vocabulary.representatives import BASELINE

_NOTHING = "–"
_SAME = 0.005  # decades


def in_words(advice: Advice, from_run: str, measure: str) -> Iterator[str]:
    """`from_run`: which run it is; `measure`: a line that says how to measure the mix."""
    yield _asked(advice.question)
    yield f"from {from_run}"
    yield ""
    yield from _basis(advice, measure)
    yield from _choice(advice)
    yield ""
    yield from _figures(advice)
    for why in dict.fromkeys(why for _, why in advice.left_out):
        yield f"not among them: {listed([model for model, other in advice.left_out if other == why])}: {why}"
    yield ""
    yield from _meanings(advice)
    if advice.answers and _is_open(advice.verdict):
        yield measure


def _asked(question: Question) -> str:
    limits = "; the library only blocks" if question.blocking_library else ""
    limits += f"; at most {size(question.memory_bytes)}" if question.memory_bytes is not None else ""
    return f"{_mix(question.work)}{limits}"


def _mix(work: Work) -> str:
    each = [f"waits {duration(work.wait_ns)}"] if work.wait_ns else []
    each += [f"computes {duration(work.compute_ns)}"] if work.compute_ns else []
    return f"{quantities.counted(work.tasks, 'task')} at once, each {' and '.join(each) or 'does nothing'}"


def _basis(advice: Advice, measure: str) -> Iterator[str]:
    nearest, work = _mix(advice.nearest.work), advice.question.work
    if advice.basis == "measured":
        close = (
            ""
            if work.distance(advice.nearest.work) < _SAME
            else f", no more than {quantities.percent(NEAR_RATIO - 1)} from yours"
        )
        yield f"This was measured{close}: {nearest}; {quantities.counted(advice.verdict.rounds, 'round')}."
    elif advice.basis == "estimated":
        yield f"This mix was not measured, but lies between {advice.cases} measured cases. An estimate from them:"
    else:
        yield f"No advice: this mix was not measured, and nothing is estimated for it: {'; '.join(advice.outside)}."
        yield measure
        yield ""
        yield f"The nearest measured case: {nearest}. Its verdict:"


def _is_open(verdict: Verdict) -> bool:
    """Nobody is shown to be within 15 % of the best."""
    return verdict.kind == "open" or (verdict.kind == "none" and not verdict.best_set)


def _choice(advice: Advice) -> Iterator[str]:
    verdict = advice.verdict
    yield _answer(verdict)
    if advice.by_cpu is not None:
        yield f"By CPU cost, measured under that load: {verdict_in_words(advice.by_cpu)}."
    for found, what in ((advice.cheapest, "CPU time"), (advice.leanest, "memory")):
        if found is not None:
            yield f"Of these {found[0]} needs the least {what}: {found[1]:.2g} of what the next needs."
    cells = advice.nearest.case.cells
    if slower := [
        f"{model} ({ratio(verdict.ratios[model].value) if model in verdict.ratios else absence(cells[model])})"
        for model in verdict.slower
    ]:
        yield f"Shown to be slower: {listed(slower)}."
    serial = verdict.ratios.get(BASELINE)
    if serial is not None and serial.high is not None and serial.high < 1 / MARGIN:
        yield (
            f"But one task after another, without any concurrency (serial), takes {ratio(serial.value)} of the time of"
            f" {verdict.best}."
        )


def _answer(verdict: Verdict) -> str:
    """A name never stands without its bound, nor the first of several without the others."""
    names, kind = listed(ordered(verdict.best_set)), kind_in_words(verdict)
    fastest = f"{verdict.best} is the fastest of {len(verdict.best_set) + len(verdict.slower)}"
    match verdict.kind:
        case "wins":
            return f"{fastest}: {margin_in_words(verdict)}."
        case "ahead":
            return f"{fastest}: {kind}, the nearest being {verdict.best_set[1]}."
        case "tie":
            return f"{names} are equally fast: each is at most {at_most(MARGIN - 1)} from the best."
        case "tie_within" if verdict.within is not None and verdict.regret is not None:
            return (
                f"{names} cannot be told apart: each is at most {at_most(verdict.within)} from the best, and"
                f" {verdict.safe_choice} at most {at_most(verdict.regret)}."
            )
        case "safe_choice":
            return f"It is open which of {names} is the fastest{kind.removeprefix('open')}."
        case "none":
            return (
                f"Only {names} is left, so there is nothing to choose." if names else f"No verdict: {verdict.reason}."
            )
    bound = "nothing bounds how far from the best any of them is"
    if verdict.safe_choice is not None and verdict.regret is not None:
        bound = (
            f"no choice is safe, and the safest, {verdict.safe_choice}, may be up to {at_most(verdict.regret)} from the"
            " best"
        )
    return f"It is open which of {names} is the fastest{f' ({verdict.reason})' if verdict.reason else ''}: {bound}."


def _figures(advice: Advice) -> Iterator[str]:
    best = advice.verdict.best
    about = " about" if advice.basis == "estimated" else ""
    rows = [
        ["", f"time{about}", f"against {best}" if best else "", "requests/s", "CPU per request", "peak memory", "P99"]
    ]
    rows += [_row(advice, option) for option in advice.options]
    kept = [
        column for column, cells in enumerate(zip(*rows, strict=True)) if any(cell != _NOTHING for cell in cells[1:])
    ]
    yield from table([[row[column] for column in kept] for row in rows], markdown=False)


def _row(advice: Advice, option: Option) -> list[str]:
    verdict, tasks = advice.verdict, advice.work.tasks
    return [
        option.model,
        duration(option.time_ns),
        "1" if option.model == verdict.best else _against(verdict, option.model),
        three_digits(tasks * 1e9 / option.time_ns),
        duration(option.cpu_ns / tasks) if option.cpu_ns is not None else _NOTHING,
        size(option.memory_bytes) if option.memory_bytes is not None else _NOTHING,
        duration(option.tail_ns) if option.tail_ns is not None else _NOTHING,
    ]


def _against(verdict: Verdict, model: str) -> str:
    found = verdict.ratios.get(model) if verdict.best else None
    if found is None or not math.isfinite(found.value):  # in no round with the best
        return _NOTHING
    return f"{ratio(found.value)} ({interval_in_words(found)})"


def _of_ratio(advice: Advice) -> str:
    within = "within the same rounds, " if advice.basis != "estimated" else ""
    return (
        f"; against {advice.verdict.best}: the ratio of times {within}with its 95 % interval"
        if advice.verdict.best
        else ""
    )


def _meanings(advice: Advice) -> Iterator[str]:
    work = advice.work
    serial = _against(advice.verdict, BASELINE)
    measured = f"; measured: {serial} of the time of {advice.verdict.best}" if serial != _NOTHING else ""
    yield (
        f"One task after another would take about {duration(work.tasks * (work.wait_ns + work.compute_ns))}{measured}."
    )
    yield (
        f"time: for all {quantities.counted(work.tasks, 'task')}{_of_ratio(advice)}; requests/s: tasks divided by time,"
        f" which this machine holds with {work.tasks:,} under way together."
    )
    if advice.tails is not None:
        yield (
            f"P99: 99 of 100 replies of a server took less, measured in another case: {advice.tails.workload.id},"
            f" {advice.tails.label}."
        )
    if advice.missed is not None:
        yield (
            "In the median, the estimate misses a measured case that it has not seen by"
            f" {quantities.percent(advice.missed - 1)}. The intervals allow for that."
        )

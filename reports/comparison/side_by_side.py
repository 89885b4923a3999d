"""The comparison of two runs, for a terminal or as Markdown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from reports.analysis import focus as standing
from reports.cases import quantities
from reports.cases.cases import Analysis
from reports.cases.phrases import interval_in_words, verdict_in_words
from reports.comparison.compare import Change, Comparison
from verdicts.deciding import Verdict
from verdicts.statistics import MARGIN

HEADER = ("case", "model", "metric", "before", "after", "change", "95 % interval", "")
HOW = (
    "change: after / before against the other models of the case, within rounds: what slows the machine slows all of"
    " them"
)


def lines(
    comparison: Comparison,
    verdicts: Sequence[tuple[str, str, Verdict, Verdict]],
    markdown: bool,
    front: Sequence[str] = (),
) -> list[str]:
    """Both runs beside each other, with the verdicts that changed."""
    told = [*front, *([""] if front else [])]
    told += table([HEADER, *(row(change) for change in comparison.changes)], markdown)
    told += ["", HOW, *notes(comparison)]
    told += [
        f"{case}, {metric}: before {verdict_in_words(was)}; now {verdict_in_words(now)}"
        for case, metric, was, now in verdicts
    ]
    return told


def front(before: Analysis, after: Analysis, comparison: Comparison) -> list[str]:
    """How the model in front has changed, and how it stood against its reference before and stands now; nothing without
    one."""
    focus = after.focus
    if focus is None:
        return []
    words = Counter(row(change)[-1] for change in comparison.changes if change.model == focus.model)
    told = (
        f"{focus.model}, after against before: better in {words['better']} of"
        f" {quantities.counted(words.total(), 'cell')}, worse in {words['worse']}"
    )
    return [told, *(f"{when}: {standing.line(of)}" for when, of in (("before", before), ("now", after)))]


def row(change: Change) -> tuple[str, ...]:
    """A change as a row of the table."""
    values = (
        "–" if value is None else quantities.value(change.metric, value) for value in (change.before, change.after)
    )
    bounds = change.bounds
    beyond = bounds.claim_low > math.log(MARGIN) or bounds.claim_high < -math.log(MARGIN)
    word = ("worse" if bounds.value > 0 else "better") if beyond else ""
    return (
        change.case,
        change.model,
        change.metric,
        *values,
        quantities.ratio(bounds.ratio.value),
        interval_in_words(bounds.ratio),
        word,
    )


def notes(comparison: Comparison) -> list[str]:
    """What could not be compared, and why."""
    told = [lost.line for lost in (*comparison.lost, *comparison.unmeasured)]
    told += [f"{id}: its work has changed: not compared" for id in comparison.other_work]
    if comparison.only_before or comparison.only_now:
        told.append(f"{comparison.only_before} cells were measured before only, {comparison.only_now} now only")
    return told


def table(rows: Iterable[Sequence[str]], markdown: bool) -> list[str]:
    """The lines of a table with aligned columns."""
    cells = [[cell.replace("|", "\\|") for cell in row] if markdown else list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    if not markdown:
        return ["  ".join(row).rstrip() for row in padded]
    told = [f"| {' | '.join(row)} |" for row in padded]
    return [told[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *told[1:]]

"""The output of the regression gate, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports.cases import quantities
from reports.comparison.compare import Change, Comparison
from reports.comparison.gate import Findings, Seen
from reports.comparison.side_by_side import HEADER, row, table

_SHOWN = 10  # inconclusive ones, the most doubtful first


def lines(found: Findings, comparison: Comparison, threshold: float, markdown: bool) -> list[str]:
    """What the gate found, line by line."""
    told = _titled("Regressions", found.regressions, [lost.line for lost in found.lost], markdown)
    shown = found.inconclusive[:_SHOWN]
    rest = [f"and {len(found.inconclusive) - len(shown)} more"] if len(found.inconclusive) > len(shown) else []
    told += _titled("Inconclusive", shown, [*rest, *(lost.line for lost in found.unmeasured)], markdown)
    told += [
        f"{change.case}: {change.model}: {change.short}"
        for change in (*found.regressions, *found.inconclusive)
        if change.short
    ]
    if found.together:
        moved = sorted(found.together.items(), key=lambda item: -item[1].value)
        named = [f"{case} by {metric} {quantities.ratio(bounds.ratio.value)}" for (case, metric), bounds in moved[:3]]
        more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
        told.append(
            f"all models of a case became worse together: {', '.join(named)}{more}: something shared has changed, or"
            " the machine; check --against-built REV tells which"
        )
    told += [f"{id}: its work has changed: not compared" for id in comparison.other_work]
    told += [f"{id}: that revision has no such cell: not compared" for id in comparison.new]
    if comparison.only_before or comparison.only_now:
        told.append(f"{comparison.only_before} cells were measured before only, {comparison.only_now} now only")
    told += [_told(seen) for seen in found.seen]
    if markdown:
        told = [line if line.startswith("|") or not line else f"{line}  " for line in told]
    return [*told, summary(found, threshold)]


def summary(found: Findings, threshold: float) -> str:
    """In one line, how many were compared and how they came out."""
    regressions, inconclusive = len(found.regressions) + len(found.lost), len(found.inconclusive) + len(
        found.unmeasured
    )
    compared = regressions + inconclusive + len(found.passed)
    return (
        f"{compared} compared at {100 * threshold:.6g}%: {quantities.counted(regressions, 'regression')},"
        f" {inconclusive} inconclusive, {len(found.passed)} passed"
    )


def _titled(title: str, changes: Sequence[Change], lines: Iterable[str], markdown: bool) -> list[str]:
    told = table([HEADER[:7], *(row(change)[:7] for change in changes)], markdown) if changes else []
    told += lines
    if not told:
        return []
    return [f"**{title}**", "", *told, ""] if markdown else [f"{title.lower()}:", *(f"  {line}" for line in told)]


def _told(seen: Seen) -> str:
    by = {"cpu": "CPU"}.get(seen.metric, seen.metric)
    return (
        f"would have found {_slowdown(seen.half)} and more by {by} in half of the comparisons,"
        f" {_slowdown(seen.most)} in nine of ten"
    )


def _slowdown(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 1 else quantities.ratio(1 + share)

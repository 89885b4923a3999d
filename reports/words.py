"""The words for verdicts and outcomes, the same in figures, tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports import outcomes, quantities
from reports.run import Cell
from reports.statistics import Ratio, Verdict

CLASS_NAMES = {
    "io": "I/O-bound work",
    "cpu": "CPU-bound work",
    "coordination": "Coordination",
    "mixed": "Mixed work",
    "lessons": "Lessons of the tutorials",
    "memory": "Memory",
}


def listed(names: Sequence[str], last: str = "and") -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}" if names else ""


def kind_in_words(verdict: Verdict) -> str:
    if verdict.kind == "tie":
        return f"tie of {len(verdict.best_set)}"
    if verdict.kind == "unresolved":
        return f"not separated: {len(verdict.best_set)}"
    return {"wins": "wins", "unopposed": "no rival", "none": "no verdict"}[verdict.kind]


def runner_up(verdict: Verdict) -> str | None:
    """The nearest of those that were shown to be slower and have a ratio."""
    return next((m for m in verdict.slower if m in verdict.ratios), None)


def margin_in_words(verdict: Verdict, codes: Mapping[str, str] | None = None) -> str:
    """How far the best set is ahead, in a few words. `codes`: short names for models."""
    name = codes or {}
    nearest = runner_up(verdict)
    ahead = f"{quantities.ratio(verdict.ratios[nearest].value)} ahead of {name.get(nearest, nearest)}" if nearest else ""
    if verdict.kind == "wins":
        return ahead or "all others stopped or projected"
    if verdict.kind == "tie":
        return ahead or "all within 5 %"
    if verdict.kind == "unresolved":
        return f"not separated; {ahead}" if ahead else "not separated"
    if verdict.kind == "unopposed":
        return "no rival was measured"
    return verdict.reason


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
    if ratio.low is None or ratio.high is None:
        return "no interval"
    return f"{quantities.ratio(ratio.low)[:-1]}–{quantities.ratio(ratio.high)}"

"""Suite against native twins: what the contract costs beside the same work hand-written against each library."""

from __future__ import annotations

from collections.abc import Sequence

from reports.analysis import native
from reports.analysis.native import AIM, Pair
from reports.cases import quantities
from reports.cases.appearance import model_styles
from reports.cases.cases import Analysis
from reports.cases.phrases import interval_in_words
from reports.cases.table import Table
from reports.drawing.chart import Scale
from reports.drawing.dot_rows import DotRows
from reports.drawing.sheet import INK, Picture
from verdicts.statistics import Ratio

MISSING = "No native twin was measured in this run. A full run measures them beside the representatives."
_STRANGER = "o"


def twins(analysis: Analysis) -> Picture | None:
    """None if nothing was measured."""
    pairs = native.pairs(analysis.run)
    measured = [pair for pair in pairs if pair.cpu is not None]
    if not measured:
        return None
    title = "Suite against native twins"
    meaning = (
        "CPU and time of the suite's cell over those of the same work written by hand against the library, with 95 %"
        " intervals; 1× means that the suite costs nothing"
    )
    notes = (f"Vertical tick: the goal of {AIM}, which the upper end of the interval should not exceed.",)
    lines = [(f"{pair.workload}, {pair.label} ({pair.model})", pair.verdict == "missed") for pair in measured]
    rows = DotRows(title, meaning, lines, 2, notes, label=4.2, values=1.0)
    ends = [
        end for pair in measured for ratio in (pair.cpu, pair.time) if ratio for end in (ratio.low, ratio.high) if end
    ]
    scale = Scale(max(0.5, min(0.94, *ends) * 0.98), min(2.0, max(1.12, *ends) * 1.02))
    columns = [
        rows.column(place, name, ("suite / native", ""), scale, lambda ratio: f"{ratio:.3g}×")
        for place, name in enumerate(("CPU time", "time"))
    ]
    styles = model_styles(analysis.run.models)
    for line, pair in enumerate(measured):
        style = styles.get(pair.model)
        colour, marker = (style.colour, style.marker) if style else (INK, _STRANGER)
        for chart, ratio in zip(columns, (pair.cpu, pair.time), strict=True):
            if ratio is None or ratio.low is None or ratio.high is None:
                continue
            y, ends_at = rows.y(line), [
                chart.x(min(max(end, scale.low), scale.high)) for end in (ratio.low, ratio.high)
            ]
            rows.sheet.line((chart.x(1), chart.x(1)), (y - 0.09, y + 0.09), colour="#707070")
            rows.sheet.line(ends_at, (y, y), colour=INK, line=0.9, z=4)
            rows.sheet.marker(chart.x(min(max(ratio.value, scale.low), scale.high)), y, marker, 5.4, colour, colour)
            rows.numbers(
                chart,
                line,
                quantities.ratio(ratio.value),
                f"{ratio.low:.2f}–{ratio.high:.2f}",
                bold=chart is columns[0],
            )
        aim = columns[0].x(AIM)
        rows.sheet.line((aim, aim), (rows.y(line) - 0.07, rows.y(line) + 0.07), colour=INK, line=1.1, z=5)
    kept = sum(pair.verdict == "kept" for pair in measured)
    alt = (
        f"Suite over native in CPU time and in time for {len(measured)} pairs, with intervals: {kept} meet the goal of"
        f" {AIM} in CPU time. The table has every ratio, and says where there is no twin."
    )
    return rows.picture("twins", alt, _table(pairs))


def _table(pairs: Sequence[Pair]) -> Table:
    rows = (
        (
            pair.workload,
            pair.label,
            pair.model,
            *_told(pair.cpu),
            *_told(pair.time),
            str(pair.rounds) if pair.cpu else "–",
            pair.verdict,
        )
        for pair in pairs
    )
    return Table(
        (
            "workload",
            "size",
            "model",
            "CPU, suite / native",
            "95 % interval",
            "time",
            "95 % interval",
            "rounds",
            f"aim of {AIM} in CPU",
        ),
        tuple(rows),
    )


def _told(ratio: Ratio | None) -> tuple[str, str]:
    return ("–", "–") if ratio is None else (quantities.ratio(ratio.value), interval_in_words(ratio))

"""Textbook against best, case by case: how far the implementations of each family are apart, beside how far the
families' best are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports.analysis.model_or_implementation import Spread, metrics_of, spreads
from reports.cases import quantities
from reports.cases.appearance import FAMILY_COLOURS, ordered
from reports.cases.cases import Analysis
from reports.cases.table import Table
from reports.drawing.chart import Scale
from reports.drawing.dot_rows import EDGE, DotRows
from reports.drawing.sheet import INK, PALE_INK, Picture
from vocabulary.terms import CLASS_NAMES, FAMILY_NAMES, METRIC_NAMES

MISSING = (
    "No case of this run has two implementations of two families, as textbook and best. A full run measures them. Runs"
    " of an older Crossover do not say which model is which."
)
_MARKERS = {"event_loop": "o", "threads": "s", "processes": "^", "fibers": "D", "tbb": "v"}
_LABEL, _VALUES = 2.6, 0.95


def textbook_against_best(analysis: Analysis) -> Picture | None:
    """None without such a case."""
    columns = [
        [
            spread
            for class_ in analysis.classes
            if place < len(metrics_of(class_))
            for spread in spreads(analysis, class_, metrics_of(class_)[place])
        ]
        for place in (0, 1)
    ]
    found = [spread for column in columns for spread in column]
    if not found:
        return None
    rows, lines = _rows(analysis, found)
    notes = (
        (
            "The bar: the slowest over the fastest of the families' best. A mark beyond it: the implementation matters"
            " more than the model there."
        ),
        "An implementation that was too slow to be measured is missing, so a spread is at least that.",
    )
    sheet = DotRows(
        "Textbook against best, case by case",
        (
            "slowest over fastest on a log axis: coloured, of the implementations of one family; the bar, of the"
            " families' best"
        ),
        rows,
        2,
        notes,
        _LABEL,
        _VALUES,
    )
    for place, column in enumerate(columns):
        _draw(sheet, place, column, lines)
    for place, family in enumerate(
        family for family in FAMILY_COLOURS if any(family in spread.within for spread in found)
    ):
        x, y = EDGE + 0.08 + place % 3 * 0.8, 0.76 + place // 3 * 0.17
        sheet.sheet.marker(x, y, _MARKERS.get(family, "o"), 5.0, FAMILY_COLOURS[family], FAMILY_COLOURS[family])
        sheet.sheet.text(x + 0.09, y, FAMILY_NAMES[family], 6.5, colour=PALE_INK, width=0.7)
    alt = (
        f"In {quantities.counted(len(lines), 'case')} how far the implementations of each family are apart, textbook to"
        " best, and how far the families' best are. The table has every value."
    )
    return sheet.picture("textbook-against-best", alt, _table(found))


def _rows(analysis: Analysis, found: Sequence[Spread]) -> tuple[list[tuple[str, bool]], dict[str, int]]:
    """The texts of the lines, and the line of each case."""
    rows: list[tuple[str, bool]] = []
    lines: dict[str, int] = {}
    shown = {spread.case.id for spread in found}
    for class_ in analysis.classes:
        cases = [case for row in analysis.rows_of(class_) for case in row.cases if case.id in shown]
        if cases:
            rows.append((CLASS_NAMES[class_], True))
        for case in cases:
            lines[case.id] = len(rows)
            rows.append((f"{case.workload.id}, {case.label}", False))
    return rows, lines


def _draw(sheet: DotRows, place: int, column: Sequence[Spread], lines: dict[str, int]) -> None:
    metrics = dict.fromkeys(METRIC_NAMES[spread.metric] for spread in column)
    most = max((value for spread in column for value in (spread.between, *spread.within.values())), default=2.0)
    remarks = ("numbers: of the families' best,", "and the widest of one family")
    chart = sheet.column(
        place, " or ".join(metrics), remarks, Scale(1.0, max(2.0, most) ** 1.05), lambda ratio: f"{ratio:g}×"
    )
    for spread in column:
        y = sheet.y(lines[spread.case.id])
        sheet.sheet.line((chart.x(1.0), chart.x(spread.between)), (y, y), colour="#8c8c8c", line=4.0, z=3)
        for family, value in spread.within.items():
            colour = FAMILY_COLOURS.get(family, INK)
            sheet.sheet.marker(chart.x(value), y, _MARKERS.get(family, "o"), 5.0, colour, colour)
        sheet.numbers(
            chart,
            lines[spread.case.id],
            quantities.ratio(spread.between),
            quantities.ratio(max(spread.within.values())),
        )


def _table(found: Iterable[Spread]) -> Table:
    rows = []
    for spread in found:
        where = (spread.case.workload.id, spread.case.label, METRIC_NAMES[spread.metric])
        rows.append((*where, "the families' best", quantities.ratio(spread.between), "–"))
        for family, value in spread.within.items():
            word = {model: word for word, model in spread.models[family].items()}
            rows.append(
                (
                    *where,
                    FAMILY_NAMES.get(family, family),
                    quantities.ratio(value),
                    ", ".join(f"{model} ({word[model]})" for model in ordered(word)),
                )
            )
    return Table(("workload", "size", "metric", "of", "slowest / fastest", "implementations"), tuple(rows))

"""Every sample of the most telling cases in the order of the run: shows drift, modes and disturbed rounds."""

from __future__ import annotations

from collections.abc import Sequence

from reports.cases import quantities
from reports.cases.appearance import model_styles, ordered
from reports.cases.cases import Analysis, Case
from reports.cases.table import Table
from reports.drawing.chart import Chart, Name, Scale, around
from reports.drawing.panels import Panels
from reports.drawing.sheet import Picture
from reports.text.headlines import most_telling

MISSING = "No case of this run has enough samples to show their order."
_DISTURBED = "#f3e3c3"
_MOST = 8.0  # a sample that took longer than so many medians stands at the edge


def order(analysis: Analysis) -> Picture | None:
    """None if no model of the telling cases has two rounds."""
    telling = [case for class_ in analysis.classes if (case := most_telling(analysis, class_)) and _drawn(case)]
    if not telling:
        return None
    styles = model_styles(analysis.run.models)
    models = ordered({m for case in telling for m in _drawn(case)})
    title = "Samples in the order of the run"
    meaning = (
        "time of each sample over the median of its model, by round, on a log axis; what competes in the most telling"
        " case of each class"
    )
    notes = (
        (
            "Shaded: rounds that other programs disturbed, as shown by an outside signal, never by a sample's own"
            f" value. Dashed: the models were restarted. A sample beyond {_MOST:.0f} or 1/{_MOST:.0f} is drawn at the"
            " edge."
        ),
    )
    sheet = Panels(title, meaning, len(telling), 1.5, models, styles, notes)
    for place, case in enumerate(telling):
        _draw(sheet, place, case, analysis.run.disturbed.get(case.id, frozenset()))
    alt = (
        f"Samples of {quantities.counted(len(telling), 'case')} in the order of the run, each relative to the median of"
        " its model; disturbed rounds are shaded. The table has the spread of each model."
    )
    return sheet.picture("order", alt, _table(telling, analysis))


def _drawn(case: Case) -> list[str]:
    return [m for m in ordered(case.competing) if m in case.medians["time"] and len(case.cells[m].by_round("time")) > 1]


def _relative(case: Case, model: str) -> list[tuple[float, float]]:
    middle = case.medians["time"][model]
    return [
        (float(round), min(max(value / middle, 1 / _MOST), _MOST))
        for round, value in sorted(case.cells[model].by_round("time").items())
    ]


def _draw(sheet: Panels, place: int, case: Case, disturbed: frozenset[int]) -> None:
    models = _drawn(case)
    samples = {m: _relative(case, m) for m in models}
    last = max(round for points in samples.values() for round, _ in points)
    values = [value for points in samples.values() for _, value in points]
    chart = sheet.chart(place, Scale(-0.7, last + 0.7, log=False), around(values, room=0.04))
    for round in disturbed:
        if round <= last:
            left = chart.x(round - 0.5)
            chart.sheet.box(left, chart.top, chart.x(round + 0.5) - left, chart.height, fill=_DISTURBED)
    chart.frame(lambda x: f"{x:.0f}", lambda y: f"{y:.3g}×")
    chart.titles(case.workload.id, case.label, "round", "sample / median of its model")
    _starts(chart, case, models)
    for m in models:
        chart.line(samples[m], sheet.styles[m].colour, 0.5)
        chart.points(samples[m], sheet.styles[m], True, 2.6)
    chart.names(Name(samples[m][-1][1], sheet.styles[m].code, sheet.styles[m], True) for m in models)


def _starts(chart: Chart, case: Case, models: Sequence[str]) -> None:
    """A line before each round that most models measured in a new process."""
    process = {m: case.cells[m].series("time").process for m in models}
    rounds = sorted({round for of in process.values() for round in of})
    for before, after in zip(rounds, rounds[1:], strict=False):
        anew = [of[after] != of[before] for of in process.values() if after in of and before in of]
        if anew and sum(anew) * 2 > len(anew):
            chart.reference(
                [((before + after) / 2, chart.ys.low), ((before + after) / 2, chart.ys.high)], colour="#707070"
            )


def _table(telling: Sequence[Case], analysis: Analysis) -> Table:
    rows = []
    for case in telling:
        disturbed = analysis.run.disturbed.get(case.id, frozenset())
        for m in _drawn(case):
            values = sorted(case.cells[m].by_round("time").values())
            middle = case.medians["time"][m]
            rows.append(
                (
                    case.workload.id,
                    case.label,
                    m,
                    str(len(values)),
                    str(sum(r in disturbed for r in case.cells[m].by_round("time"))),
                    quantities.ratio(values[0] / middle),
                    quantities.ratio(values[-1] / middle),
                )
            )
    return Table(
        ("workload", "size", "model", "rounds", "disturbed", "fastest / median", "slowest / median"), tuple(rows)
    )

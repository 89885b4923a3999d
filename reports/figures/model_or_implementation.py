"""Model or implementation: for each kind of work what part of the variance each of them explains, as bars of one
length."""

from __future__ import annotations

from collections.abc import Sequence

from reports.analysis.model_or_implementation import Weighed, interval_in_words
from reports.cases import quantities
from reports.cases.phrases import listed
from reports.cases.table import Table
from reports.drawing.sheet import INK, PALE_INK, RULE, Picture, Sheet
from vocabulary.terms import FAMILY_NAMES, METRIC_NAMES

_WIDTH, _EDGE, _LABEL, _METRIC, _VALUE = 8.6, 0.15, 2.35, 0.75, 1.75
_LEFT, _LENGTH = _EDGE + _LABEL + _METRIC, _WIDTH - 2 * _EDGE - _LABEL - _METRIC - _VALUE
_TOP, _LINE, _BAR = 1.0, 0.27, 0.14
_MODEL, _IMPLEMENTATION, _MEASURING = "#4d4d4d", "#d9a441", "#ececec"  # no family has these
_ANSWERS = {
    "model": "the model",
    "implementation": "the implementation",
    "neither": "neither",
    "about as much": "about as much",
}


def model_or_implementation(found: Sequence[Weighed]) -> Picture | None:
    """None where nothing is weighed."""
    if not found:
        return None
    bottom = _TOP + _LINE * len(found)
    sheet = Sheet(_WIDTH, bottom + 0.62)
    title = "Model or implementation?"
    sheet.text(_EDGE, 0.24, title, 13, bold=True)
    sheet.text(
        _EDGE,
        0.48,
        (
            "what part of the variance of the logarithm, among the models of a case, lies between families and within"
            " them: textbook to best"
        ),
        8,
        colour=PALE_INK,
        width=_WIDTH - 2 * _EDGE,
    )
    x = _LEFT
    for name, colour in (("model", _MODEL), ("implementation", _IMPLEMENTATION), ("measuring", _MEASURING)):
        sheet.box(x, 0.67, 0.16, 0.12, fill=colour, edge=RULE)
        sheet.text(x + 0.22, 0.73, name, 7)
        x += 1.2
    sheet.text(
        _LEFT + _LENGTH + 0.12, 0.73, "matters more, by (95 % interval)", 6.5, colour=PALE_INK, width=_VALUE - 0.12
    )
    for quarter in range(5):
        x = _LEFT + _LENGTH * quarter / 4
        sheet.line((x, x), (_TOP - 0.1, bottom), colour="#e0e0e0")
        sheet.text(x, bottom + 0.1, f"{25 * quarter} %", 6.5, align="center", colour=PALE_INK)
    for line, one in enumerate(found):
        _draw(sheet, one, _TOP + _LINE * (line + 0.5) - 0.05, first=not line or found[line - 1].work != one.work)
    note = (
        "Line below a bar: the 95 % interval of the model's share. A share does not say how much there is to explain:"
        " that stands under “Textbook against best”, case by case."
    )
    sheet.text(_EDGE, bottom + 0.4, note, 7, colour=PALE_INK, width=_WIDTH - 2 * _EDGE)
    alt = (
        f"For {quantities.counted(len(found), 'kind of work and metric', 'kinds of work and metrics')} the shares of"
        " the variance that the model, the implementation and measuring explain. The table has every value."
    )
    return sheet.picture("model-or-implementation", title, alt, _table(found))


def _draw(sheet: Sheet, one: Weighed, y: float, first: bool) -> None:
    if first:
        sheet.text(_EDGE, y, one.work, 7.5, width=_LABEL - 0.1, bold=True)
    sheet.text(_EDGE + _LABEL, y, METRIC_NAMES[one.metric], 7, width=_METRIC - 0.1)
    shares, x = one.shares, _LEFT
    for share, colour in (
        (shares.between.value, _MODEL),
        (shares.within.value, _IMPLEMENTATION),
        (shares.measuring, _MEASURING),
    ):
        sheet.box(x, y - _BAR / 2, _LENGTH * share, _BAR, fill=colour, z=3)
        x += _LENGTH * share
    below = y + _BAR / 2 + 0.035
    ends = (_LEFT + _LENGTH * shares.between.low, _LEFT + _LENGTH * shares.between.high)
    sheet.line(ends, (below, below), colour=INK, line=0.9, z=4)
    for end in ends:
        sheet.line((end, end), (below - 0.025, below + 0.025), colour=INK, line=0.9, z=4)
    right = _LEFT + _LENGTH + 0.12
    sheet.text(
        right,
        y,
        ", ".join(filter(None, (_ANSWERS[one.answer], interval_in_words(one)))),
        7,
        width=_VALUE - 0.12,
        bold=one.answer in ("model", "implementation"),
    )


def _table(found: Sequence[Weighed]) -> Table:
    rows = (
        (
            one.work,
            METRIC_NAMES[one.metric],
            quantities.percent(one.shares.between.value),
            f"{quantities.percent(one.shares.between.low)} to {quantities.percent(one.shares.between.high)}",
            quantities.percent(one.shares.within.value),
            f"{quantities.percent(one.shares.within.low)} to {quantities.percent(one.shares.within.high)}",
            quantities.percent(one.shares.measuring),
            _ANSWERS[one.answer],
            interval_in_words(one) or "–",
            str(len(one.spreads)),
            listed([FAMILY_NAMES.get(family, family) for family in one.families]),
        )
        for one in found
    )
    header = (
        "work",
        "metric",
        "model",
        "95 % interval",
        "implementation",
        "95 % interval",
        "measuring",
        "matters more",
        "by, 95 % interval",
        "cases",
        "several implementations of",
    )
    return Table(header, tuple(rows))

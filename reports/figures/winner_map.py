"""Winner map: a tile per workload and size says who is best by one metric, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.analysis.focus import Pairing, pairings, told_against
from reports.cases import load, quantities
from reports.cases.appearance import Style, model_styles, ordered
from reports.cases.cases import Analysis, Case, Row
from reports.cases.counting import counts, judged
from reports.cases.phrases import kind_in_words, listed, margin_in_words
from reports.cases.run import Focus
from reports.cases.table import Table
from reports.cases.tie_break import cheaper
from reports.drawing.front import FRONT_HEIGHT, front_line, front_note
from reports.drawing.legend import legend, legend_height
from reports.drawing.sheet import PALE_INK, RULE, Picture, Sheet, width_of, wrapped
from reports.drawing.tile import drawn, tile
from reports.drawing.tile_key import KEY_HEIGHT, tile_key
from vocabulary.terms import CLASS_NAMES, MAP_METRICS, METRIC_NAMES

_WIDTH, _EDGE, _GUTTER = 10.25, 0.15, 0.3
_COLUMN = (_WIDTH - 2 * _EDGE - _GUTTER) / 2  # the map has two columns of workloads
_LABEL, _ACROSS = 1.25, 3  # inches for a workload's name, tiles beside it
_TILE = (_COLUMN - _LABEL) / _ACROSS
_BODY, _STRIP, _GAP, _TEXT, _SMALL = 0.25, 0.13, 0.07, 0.115, 6.3
_TOP, _HEADING = 0.66, 0.33


_TITLES = {"time": "Which model is fastest?", "cpu": "Which model needs the least CPU time?"}
_MEANINGS = {
    "time": "By the real time of one iteration",
    "cpu": "By the CPU time of the whole process tree for one iteration",
}


@dataclass(frozen=True)
class _Block:
    """A workload: its name and its tiles in lines of three."""

    row: Row
    cases: tuple[Case, ...]
    about: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]  # of each case
    strips: tuple[str, ...]  # of each case: what stands below its verdict
    fronts: tuple[Pairing | None, ...]  # of each case: the model in front

    @property
    def heights(self) -> list[float]:
        """Of the lines of tiles."""
        lines = [slice(start, start + _ACROSS) for start in range(0, len(self.cases), _ACROSS)]
        return [
            _TEXT * max(map(len, self.labels[line]))
            + 0.05
            + _BODY
            + (_STRIP if any(self.strips[line]) else 0.0)
            + (FRONT_HEIGHT if any(self.fronts[line]) else 0.0)
            + _GAP
            for line in lines
        ]

    @property
    def height(self) -> float:
        return max(sum(self.heights), 0.2 + _TEXT * len(self.about) + _GAP)


def winner_map(analysis: Analysis, metric: str) -> Picture:
    """The verdict of every case by a metric, as tiles."""
    styles = model_styles(analysis.run.models)
    cases = judged(analysis.cases, metric)
    seen = ordered({m for case in cases for m in drawn(case.verdicts[metric])})
    fronts = {pairing.case.id: pairing for pairing in pairings(analysis, metric)}
    blocks = [
        (class_, _block(row, metric, styles, shown, fronts))
        for class_ in analysis.classes
        for row in analysis.rows_of(class_)
        if (shown := judged(row.cases, metric))
    ]
    columns = _columns(blocks)
    bottom = _TOP + max(_height(column) for column in columns)
    key = bottom + 0.24 + legend_height(seen)
    sheet = Sheet(_WIDTH, key + KEY_HEIGHT + (0.69 if analysis.focus else 0.5))
    sheet.text(_EDGE, 0.24, _TITLES[metric], 13, bold=True)
    sheet.text(
        _EDGE,
        0.48,
        (
            f"{_meaning(analysis, metric)}. Each tile is a workload at one size; sizes grow from left to right. One"
            " model of each family competes."
        ),
        8,
        colour=PALE_INK,
        width=_WIDTH - 2 * _EDGE,
    )
    for place, column in enumerate(columns):
        _draw_column(sheet, _EDGE + place * (_COLUMN + _GUTTER), column, metric, styles)
    legend(sheet, _EDGE, bottom + 0.24, _WIDTH - 2 * _EDGE, seen, styles)
    tile_key(sheet, _EDGE, key - 0.05, _WIDTH - 2 * _EDGE)
    notes = [
        *front_note(analysis.focus, styles),
        (
            "–: no verdict, and why. alone: all others were stopped early or would take too long. S 0.5× at the top"
            " right: serial, one thing after another, took that part of the best value."
        ),
        (
            "E at 0.6 of the CPU: time does not tell these models apart, but E needs 0.6 of the CPU time of the next"
            " one."
            if metric == "time"
            else ""
        ),
    ]
    for place, note in enumerate(notes):
        sheet.text(_EDGE, key + KEY_HEIGHT + 0.07 + place * 0.19, note, 7.5, width=_WIDTH - 2 * _EDGE)
    return sheet.picture(
        f"winner-map-{metric}", _TITLES[metric], _alt(cases, metric), _table(cases, metric, analysis.focus, fronts)
    )


def _meaning(analysis: Analysis, metric: str) -> str:
    reason = load.withheld(analysis.run, metric)
    return reason[0].upper() + reason[1:] if reason else _MEANINGS[metric] + load.mark(analysis.run)


def _block(
    row: Row, metric: str, styles: Mapping[str, Style], cases: tuple[Case, ...], fronts: Mapping[str, Pairing]
) -> _Block:
    about = list(wrapped(row.constants, _SMALL, _LABEL - 0.1)) if row.constants else []
    if row.workload.metric not in MAP_METRICS:
        about.append(f"decided by {METRIC_NAMES[row.workload.metric]}")
    # A parameter stays in one piece.
    labels = (", ".join(part.replace(" ", "\u00a0") for part in case.label.split(", ")) for case in cases)
    wraps = tuple(
        wrapped(label, _SMALL, _TILE - _GAP - 0.06 - _badge(case, metric)) for case, label in zip(cases, labels)
    )
    found = [cheaper(case) if metric == "time" else None for case in cases]
    return _Block(
        row,
        cases,
        tuple(about),
        wraps,
        tuple(f"{styles[less[0]].code} at {less[1]:.2g} of the CPU" if less else "" for less in found),
        tuple(fronts.get(case.id) for case in cases),
    )


def _badge(case: Case, metric: str) -> float:
    """Inches at a tile's top right that say how far serial is ahead."""
    return width_of("S 0.00×", _SMALL, True) + 0.06 if case.baseline(metric) else 0.0


def _columns(blocks: Sequence[tuple[str, _Block]]) -> list[list[tuple[str, _Block]]]:
    """Cut where the two columns come nearest to the same height."""
    cuts = [(blocks[:cut], blocks[cut:]) for cut in range(1, len(blocks) + 1)] or [((), ())]
    left, right = min(cuts, key=lambda cut: max(_height(cut[0]), _height(cut[1])))
    return [list(left), list(right)]


def _height(blocks: Sequence[tuple[str, _Block]]) -> float:
    return sum(block.height for _, block in blocks) + _HEADING * len({class_ for class_, _ in blocks})


def _draw_column(
    sheet: Sheet, left: float, blocks: Sequence[tuple[str, _Block]], metric: str, styles: Mapping[str, Style]
) -> None:
    y, class_ = _TOP, ""
    for of_class, block in blocks:
        if of_class != class_:
            class_ = of_class
            sheet.text(left, y + 0.16, CLASS_NAMES[class_], 9.5, bold=True)
            sheet.line((left, left + _COLUMN), (y + 0.27, y + 0.27))
            y += _HEADING
        _draw_block(sheet, left, y, block, metric, styles)
        y += block.height


def _draw_block(sheet: Sheet, left: float, y: float, block: _Block, metric: str, styles: Mapping[str, Style]) -> None:
    sheet.text(left, y + 0.09, block.row.workload.id, 8, width=_LABEL - 0.08, bold=True)
    for line, text in enumerate(block.about):
        sheet.text(left, y + 0.23 + _TEXT * line, text, _SMALL, width=_LABEL - 0.08, colour=PALE_INK)
    for line, height in enumerate(block.heights):
        for place in range(line * _ACROSS, min((line + 1) * _ACROSS, len(block.cases))):
            x = left + _LABEL + place % _ACROSS * _TILE
            _tile(sheet, (x, y, _TILE - _GAP, height - _GAP), block, place, metric, styles)
        y += height


def _tile(
    sheet: Sheet,
    box: tuple[float, float, float, float],
    block: _Block,
    place: int,
    metric: str,
    styles: Mapping[str, Style],
) -> None:
    x, y, width, height = box
    case, strip, front = block.cases[place], block.strips[place], block.fronts[place]
    verdict, baseline = case.verdicts[metric], case.baseline(metric)
    for line, text in enumerate(block.labels[place]):
        sheet.text(x + 0.03, y + 0.025 + _TEXT * (line + 0.5), text, _SMALL, width=width - 0.05 - _badge(case, metric))
    if baseline:
        sheet.text(
            x + width - 0.03,
            y + 0.025 + _TEXT / 2,
            f"S {quantities.ratio(baseline.value)}",
            _SMALL,
            bold=True,
            align="right",
        )
    bottom = y + height - (FRONT_HEIGHT if front else 0.0)
    top = bottom - _BODY - (_STRIP if strip else 0.0)
    if verdict.kind == "none":
        reason = (
            f"– {styles[verdict.best_set[0]].code}: no rival"
            if verdict.best_set
            else f"– {verdict.reason.partition(':')[0]}"
        )
        sheet.text(
            x + 0.05,
            top + _BODY / 2,
            reason if width_of(reason, 6) < width - 0.08 else "– no verdict",
            6,
            colour=PALE_INK,
        )
    else:
        tile(sheet, (x, top, width, _BODY), verdict, styles, 9.5)
    if strip:
        sheet.text(x + 0.05, bottom - _STRIP / 2, strip, _SMALL, bold=True, width=width - 0.08)
    if front:
        front_line(sheet, (x, bottom, width, FRONT_HEIGHT), front)
    sheet.box(x, y, width, height, edge=RULE, z=3)


def _alt(cases: Sequence[Case], metric: str) -> str:
    told = listed(counts([case.verdicts[metric] for case in cases])) or "empty"
    return (
        f"Map of {quantities.counted(len(cases), 'case')} by {METRIC_NAMES[metric]}: {told}. The table has every tile."
    )


def _table(cases: Sequence[Case], metric: str, focus: Focus | None, fronts: Mapping[str, Pairing]) -> Table:
    rows: list[tuple[str, ...]] = []
    for case in cases:
        verdict, less = case.verdicts[metric], cheaper(case) if metric == "time" else None
        best = quantities.value(metric, case.medians[metric][verdict.best]) if verdict.best else "–"
        cpu = f"; {less[0]} at {less[1]:.2g} of the CPU" if less else ""
        rows.append(
            (
                case.workload.id,
                case.label,
                kind_in_words(verdict),
                ", ".join(verdict.best_set) or "–",
                best,
                margin_in_words(verdict) + cpu,
            )
        )
        if focus:
            rows[-1] += ((told_against(fronts[case.id]) if case.id in fronts else "–"),)
    return Table(
        ("workload", "size", "verdict", "best set", "median of the first", "margin", *([focus.model] if focus else [])),
        tuple(rows),
    )

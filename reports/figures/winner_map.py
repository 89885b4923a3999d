"""Winner map: workload × size tiles that name the winner of one metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports import quantities
from reports.analysis import MAP_METRICS, METRIC_NAMES, Analysis, Case, Row
from reports.figures.legend import legend, legend_height, mark
from reports.figures.sheet import PALE_INK, RULE, UNDECIDED, Picture, Sheet, Table, width_of, wrapped
from reports.models import Look, looks, ordered
from reports.statistics import Verdict
from reports.words import CLASS_NAMES, kind_in_words, margin_in_words, runner_up

_WIDTH, _EDGE, _GUTTER = 10.25, 0.15, 0.3
_COLUMN = (_WIDTH - 2 * _EDGE - _GUTTER) / 2  # the map has two columns of workloads
_LABEL, _ACROSS = 1.25, 3  # inches for a workload's name, tiles beside it
_TILE = (_COLUMN - _LABEL) / _ACROSS
_BODY, _GAP, _TEXT, _SMALL = 0.25, 0.07, 0.115, 6.3
_TOP, _HEADING = 0.66, 0.33


@dataclass(frozen=True)
class _Block:
    """A workload: its name and its tiles in lines of three."""

    row: Row
    about: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]  # of each case

    @property
    def heights(self) -> list[float]:
        """Of the lines of tiles."""
        starts = range(0, len(self.labels), _ACROSS)
        return [_TEXT * max(len(label) for label in self.labels[start : start + _ACROSS]) + 0.05 + _BODY + _GAP for start in starts]

    @property
    def height(self) -> float:
        return max(sum(self.heights), 0.2 + _TEXT * len(self.about) + _GAP)


def winner_map(analysis: Analysis, metric: str) -> Picture:
    look = looks(analysis.run.models)
    seen = ordered({m for case in analysis.cases for m in case.verdicts[metric].best_set})
    columns = _columns([(class_, _block(row, metric)) for class_ in analysis.classes for row in analysis.rows_of(class_)])
    bottom = _TOP + max(_height(column) for column in columns)
    sheet = Sheet(_WIDTH, bottom + legend_height(seen) + 0.75)
    title = f"Which model wins by {METRIC_NAMES[metric]}"
    sheet.text(_EDGE, 0.24, title, 13, bold=True)
    meaning = {"time": "real time of one iteration", "cpu": "user and system CPU time of the model's whole process tree for one iteration"}[metric]
    sheet.text(_EDGE, 0.48, f"{meaning}; one representative per family competes; sizes grow from left to right", 8, colour=PALE_INK)
    for place, column in enumerate(columns):
        _draw_column(sheet, _EDGE + place * (_COLUMN + _GUTTER), column, metric, look)
    legend(sheet, _EDGE, bottom + 0.24, _WIDTH - 2 * _EDGE, seen, look)
    notes = (
        "One colour: this model wins, ahead of the next by that factor. Several: a tie, all within 5 %. Grey ?: not separated, more rounds would be needed. –: no verdict.",
        "S 0.5× at a tile's top right: doing one thing after another (serial, the baseline) took that part of the winner's value. alone: all others were stopped or projected. no rival: no other was measured.",
    )
    for place, note in enumerate(notes):
        sheet.text(_EDGE, bottom + 0.26 + legend_height(seen) + place * 0.19, note, 7.5, width=_WIDTH - 2 * _EDGE)
    return sheet.picture(f"winner-map-{metric}", title, _alt(analysis, metric), _table(analysis, metric))


def _block(row: Row, metric: str) -> _Block:
    about = list(wrapped(row.constants, _SMALL, _LABEL - 0.1)) if row.constants else []
    if row.workload.metric not in MAP_METRICS:
        about.append(f"decided by {METRIC_NAMES[row.workload.metric]}")
    # A parameter stays in one piece.
    labels = {case.id: ", ".join(part.replace(" ", "\u00a0") for part in case.label.split(", ")) for case in row.cases}
    return _Block(row, tuple(about), tuple(wrapped(labels[case.id], _SMALL, _TILE - _GAP - 0.06 - _badge(case, metric)) for case in row.cases))


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


def _draw_column(sheet: Sheet, left: float, blocks: Sequence[tuple[str, _Block]], metric: str, look: Mapping[str, Look]) -> None:
    y, class_ = _TOP, ""
    for of_class, block in blocks:
        if of_class != class_:
            class_ = of_class
            sheet.text(left, y + 0.16, CLASS_NAMES[class_], 9.5, bold=True)
            sheet.line((left, left + _COLUMN), (y + 0.27, y + 0.27))
            y += _HEADING
        _draw_block(sheet, left, y, block, metric, look)
        y += block.height


def _draw_block(sheet: Sheet, left: float, y: float, block: _Block, metric: str, look: Mapping[str, Look]) -> None:
    sheet.text(left, y + 0.09, block.row.workload.id, 8, width=_LABEL - 0.08, bold=True)
    for line, text in enumerate(block.about):
        sheet.text(left, y + 0.23 + _TEXT * line, text, _SMALL, width=_LABEL - 0.08, colour=PALE_INK)
    for line, height in enumerate(block.heights):
        for place in range(line * _ACROSS, min((line + 1) * _ACROSS, len(block.row.cases))):
            x = left + _LABEL + place % _ACROSS * _TILE
            _tile(sheet, (x, y, _TILE - _GAP, height - _GAP), block.row.cases[place], block.labels[place], metric, look)
        y += height


def _tile(sheet: Sheet, box: tuple[float, float, float, float], case: Case, label: Sequence[str], metric: str, look: Mapping[str, Look]) -> None:
    x, y, width, height = box
    verdict, baseline = case.verdicts[metric], case.baseline(metric)
    for line, text in enumerate(label):
        sheet.text(x + 0.03, y + 0.025 + _TEXT * (line + 0.5), text, _SMALL, width=width - 0.05 - _badge(case, metric))
    if baseline:
        sheet.text(x + width - 0.03, y + 0.025 + _TEXT / 2, f"S {quantities.ratio(baseline.value)}", _SMALL, bold=True, align="right")
    top, middle = y + height - _BODY, y + height - _BODY / 2
    if verdict.kind in ("wins", "unopposed", "tie"):
        share = width / len(verdict.best_set)
        for place, model in enumerate(ordered(verdict.best_set)):
            sheet.box(x + place * share, top, share, _BODY, fill=look[model].colour, edge="white", line=0.8)
            alone = len(verdict.best_set) == 1
            mark(sheet, x + place * share + (0.3 if alone else share / 2), middle, look[model], 9.5, 0.5 if alone else share - 0.07, [look[m] for m in verdict.best_set])
            if alone:
                sheet.text(x + width - 0.05, middle, _lead(verdict), 6.5, align="right", width=width - 0.62, colour=look[model].text_colour)
    elif verdict.kind == "unresolved":
        sheet.box(x, top, width, _BODY, fill=UNDECIDED)
        letters = " ".join(look[m].code for m in ordered(verdict.best_set))
        sheet.text(x + 0.05, middle, "?", 9.5, bold=True)
        sheet.text(x + 0.19, middle, letters, 8, bold=True, width=width - 0.22)
    else:
        reason = f"– {margin_in_words(verdict).split(':')[0]}"
        sheet.text(x + 0.05, middle, reason if width_of(reason, 6) < width - 0.08 else "– no verdict", 6, colour=PALE_INK)
    sheet.box(x, y, width, height, edge=RULE, z=3)


def _lead(verdict: Verdict) -> str:
    nearest = runner_up(verdict)
    return quantities.ratio(verdict.ratios[nearest].value) if nearest else "no rival" if verdict.kind == "unopposed" else "alone"


def _alt(analysis: Analysis, metric: str) -> str:
    verdicts = [case.verdicts[metric] for case in analysis.cases]
    wins = Counter(v.best for v in verdicts if v.kind == "wins")
    parts = [f"{model} wins {count}" for model, count in wins.most_common()]
    for kind, name in (("tie", "ties"), ("unresolved", "not separated"), ("unopposed", "without a rival"), ("none", "without a verdict")):
        count = sum(v.kind == kind for v in verdicts)
        if count:
            parts.append(f"{count} {name}")
    return f"Map of {quantities.counted(len(verdicts), 'case')} by {METRIC_NAMES[metric]}: {', '.join(parts) or 'empty'}. The table has every tile."


def _table(analysis: Analysis, metric: str) -> Table:
    rows = []
    for case in analysis.cases:
        verdict = case.verdicts[metric]
        best = quantities.value(metric, case.medians[metric][verdict.best]) if verdict.best else "–"
        rows.append((case.workload.id, case.label, kind_in_words(verdict), ", ".join(verdict.best_set) or "–", best, margin_in_words(verdict)))
    return Table(("workload", "size", "verdict", "best set", "median of the first", "margin"), tuple(rows))

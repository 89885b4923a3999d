"""How often the event loop is within the margin of the best, and how often far behind: over all cases of a run, by
time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from reports.analysis.evidence import NOTHING, Check, Evidence, Share, Side
from reports.cases import quantities
from reports.cases.cases import Case
from reports.cases.load import withheld
from reports.cases.run import Run
from verdicts.deciding import decide
from verdicts.statistics import MARGIN
from vocabulary.looks import looks_of
from vocabulary.terms import CLASS_NAMES

RUINOUS = 3.0
Standing = Literal["near", "far", "ruinous", "open"]  # surely within the margin, surely not, surely ruinous
_NEAR_SHARE, _RUINOUS_SHARE = 0.5, 0.1
_LEAST_CASES = 10  # fewer are no answer to "how often"
_NAMES: dict[Side, str] = {"C++": "the event loop", "CPython": "asyncio"}
_PYTHON = frozenset({"py_asyncio", "py_threads", "py_processes"})


@dataclass(frozen=True)
class _Tally:
    near: int
    far: int  # but not ruinous
    ruinous: int
    open: int

    @property
    def cases(self) -> int:
        return self.near + self.far + self.ruinous + self.open


def _tally(standings: Sequence[Standing | None]) -> _Tally:
    return _Tally(*(standings.count(standing) for standing in get_args(Standing)))


def event_loop_by_default(e: Evidence) -> list[Check]:
    """The checks of how often an event loop is a good first choice, class by class and in all."""
    checks = []
    models: tuple[tuple[Side, str], ...] = (("C++", "event_loop"), ("CPython", "py_asyncio"))
    for side, model in models:
        textbook = e.textbooks.get(model, model)
        if textbook != model and _cases(e, side, textbook) >= _LEAST_CASES:
            model = textbook
        per_class = {
            class_: _tally(
                [
                    _standing(e.analysis.run, case, side, model)
                    for row in e.analysis.rows_of(class_)
                    for case in row.cases
                ]
            )
            for class_ in e.analysis.classes
        }
        all_cases = _Tally(*(sum(getattr(tally, name) for tally in per_class.values()) for name in get_args(Standing)))
        parts = ", ".join(
            f"{CLASS_NAMES[class_]} {tally.near}/{tally.cases}" for class_, tally in per_class.items() if tally.cases
        )
        few = (
            f"{model} was compared in {all_cases.cases} of at least {_LEAST_CASES} cases"
            if all_cases.cases < _LEAST_CASES
            else ""
        )
        compared = (
            f"every case, time: {model} / all that compete"
            if side == "C++"
            else "every case, time: py_asyncio, py_threads, py_processes"
        )
        checks += [
            Check(
                f"{_NAMES[side]} within 5 % of the best",
                side,
                "in ≥ 50 % of cases",
                _share(all_cases.near, all_cases.cases, parts),
                _near(all_cases),
                few or _doubt(all_cases),
                share=_shares(all_cases.near, all_cases, _NEAR_SHARE, least=True),
                cells=compared,
            ),
            Check(
                f"{_NAMES[side]} ruinous, over 3×",
                side,
                "in ≤ 10 % of cases",
                _share(all_cases.ruinous, all_cases.cases),
                _not_ruinous(all_cases),
                few or _doubt(all_cases),
                share=_shares(all_cases.ruinous, all_cases, _RUINOUS_SHARE, least=False),
                cells=compared,
            ),
        ]
    return checks


def _cases(e: Evidence, side: Side, model: str) -> int:
    return sum(_standing(e.analysis.run, case, side, model) is not None for case in e.analysis.cases)


def _doubt(tally: _Tally) -> str:
    return f"{tally.open} of {tally.cases} cases are open"


def _share(count: int, cases: int, parts: str = "") -> str:
    if not cases:
        return NOTHING
    return f"{count} of {cases} cases ({quantities.three_digits(100 * count / cases)} %)" + (
        f": {parts}" if parts else ""
    )


def _shares(count: int, tally: _Tally, limit: float, least: bool) -> Share | None:
    return Share(count / tally.cases, (count + tally.open) / tally.cases, limit, least) if tally.cases else None


def _near(tally: _Tally) -> bool | None:
    if tally.cases < _LEAST_CASES:
        return None
    if tally.near >= _NEAR_SHARE * tally.cases:
        return True
    return False if tally.near + tally.open < _NEAR_SHARE * tally.cases else None


def _not_ruinous(tally: _Tally) -> bool | None:
    if tally.cases < _LEAST_CASES:
        return None
    if tally.ruinous > _RUINOUS_SHARE * tally.cases:
        return False
    return True if tally.ruinous + tally.open <= _RUINOUS_SHARE * tally.cases else None


def _standing(run: Run, case: Case, side: Side, model: str) -> Standing | None:
    """None where the model was not compared with anything."""
    cell, verdict = case.cells.get(model), case.verdicts["time"]
    if side == "CPython" and not withheld(run, "time"):
        values = {
            name: other.series("time") for name, other in case.cells.items() if name in _PYTHON and other.status == "ok"
        }
        verdict = decide(values, _PYTHON, looks=looks_of(case.workload.metric))
    if cell is None or verdict.best is None or verdict.kind == "none":
        return None
    if model == verdict.safe_choice and verdict.regret is not None and verdict.regret < MARGIN - 1:
        return "near"
    if model == verdict.best:
        return "open"
    if cell.status == "projected" and cell.projected_ns is not None:
        return _by_bounds(cell.projected_ns / case.medians["time"][verdict.best], None)
    ratio = verdict.ratios.get(model)
    return None if ratio is None else _by_bounds(ratio.value if ratio.low is None else ratio.low, ratio.high)


def _by_bounds(low: float, high: float | None) -> Standing:
    if low >= RUINOUS:
        return "ruinous"
    if low > MARGIN:
        return "far"
    return "near" if high is not None and high < MARGIN else "open"

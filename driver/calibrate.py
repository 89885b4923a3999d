"""Before its rounds every cell passes its checks and tells what an iteration takes, or is projected when that is too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driver.cells import Cell
from driver.checks import odd_ones_out
from driver.pace import SAMPLE_NS
from driver.plan import DEAR_NS, by_case, iterations_for, least_iterations, predict, seconds
from driver.problem import OutOfTime
from driver.session import Session

_GATE_TO_ITERATION = 4  # the gate counts and verifies: an iteration may be so many times faster
_WAITING = 2  # times what the parameters alone demand are no fault of a model: a million tasks that are held for a second
_HOLDING = 12  # the same where memory decides: only a few rounds are taken
_CHECKED_NS = 50_000_000  # a longer hold is not checked in a pass of its own
_CLAIMED = 4  # times the cap: what a claim is judged by is dear by its nature
_PLAUSIBLE = 200  # times what the fastest model of the case takes: what takes longer hangs
COLD_NS = 15_000_000  # a longer iteration hardly feels that the process was idle before it


def calibrate(session: Session, cells: Sequence[Cell], known: Sequence[Cell], until_left_ns: int) -> None:
    """Those of `cells` that want it, from `known` ones what they will take. Cells that a resumed run has calibrated stay. Leaves that much of the time."""
    wanted = [cell for cell in cells if cell.waits and cell.paced and cell.iterations is None]
    try:
        for number, cell in enumerate(wanted):
            if session.left_ns() < until_left_ns:
                break
            session.progress.tell(f"checking and calibrating {number + 1}/{len(wanted)} {cell.id}", session.left_ns() / 1e9)
            while cell.waits and cell.iterations is None:
                _calibrate(session, cell, known)
    except OutOfTime:
        pass
    for models in by_case(known).values():
        for cell_id, reason in odd_ones_out(models).items():
            session.fail(session.record.cells[cell_id], "wrong", reason, "checks")


def _calibrate(session: Session, cell: Cell, known: Sequence[Cell]) -> None:
    """Fails into the record; the caller tries again while the cell waits."""
    usual_ns = session.pace.cap_ns(sum(other.status != "unsupported" for other in known))
    if cell.named:
        usual_ns = max(usual_ns, session.pace.cap_of_named_ns(len(by_case(known))))
    cap_ns = max(usual_ns * (_CLAIMED if cell.claimed else 1), (_HOLDING if cell.case.metric == "memory" else _WAITING) * (cell.bound_ns or 0))
    predicted = predict(cell, known)
    single = predicted.single_ns
    if (single // 2 if predicted.scaled else single) >= cap_ns:
        _project(session, cell, single, predicted.why, cap_ns)
        return
    fastest = min((other.single_ns for other in known if other.case is cell.case and other.single_ns is not None), default=0)
    plausible = max(_PLAUSIBLE * fastest, single) > cap_ns
    if cell.fresh_process and (cell.bound_ns or 0) > _CHECKED_NS:
        _first_round(session, cell, single, cap_ns)
        return
    gate_ns = session.gate(cell, single, _GATE_TO_ITERATION * cap_ns if plausible else None)
    if gate_ns is None:
        return
    if gate_ns > 2 * _GATE_TO_ITERATION * cap_ns:
        _project(session, cell, gate_ns // _GATE_TO_ITERATION, f"its check pass took {seconds(gate_ns)}", cap_ns)
        return
    untimed = int(not cell.fresh_process and gate_ns < COLD_NS)
    sample = session.sample(cell, 1, single, "calibration", untimed=untimed, cap_ns=2 * cap_ns if plausible else None)
    if sample is None:
        return
    single, asked = sample["wall_ns"], sample["asked_ns"] // (1 + untimed)
    if asked > cap_ns:
        around = f", {seconds(asked)} with what is done around it" if single <= cap_ns else ""
        _project(session, cell, single, f"one iteration took {seconds(single)}{around}", cap_ns)
        return
    iterations = 1 if cell.fresh_process else max(iterations_for(SAMPLE_NS, single), least_iterations(cell, [sample]))
    _calibrated(session, cell, iterations, asked, sample, is_round=cell.named and iterations == 1 and single > DEAR_NS)


def _first_round(session: Session, cell: Cell, expected_ns: int, cap_ns: int) -> None:
    """Of a cell whose every sample is long and has a process of its own: there is nothing to find out before, and its outputs are verified after it."""
    sample = session.sample(cell, 1, expected_ns, "round", 0, cap_ns=cap_ns)
    if sample is None:
        return
    _calibrated(session, cell, 1, sample["asked_ns"], sample, is_round=True)


def _calibrated(session: Session, cell: Cell, iterations: int, asked_ns: int, sample: dict[str, Any], is_round: bool) -> None:
    """`is_round`: the sample is the first one of the cell's rounds, too: a dear one is not to be lost."""
    checksum = sample.pop("checksum")
    session.record.add({"event": "calibration", "cell": cell.id, "iterations": iterations, "single_ns": sample["wall_ns"], "asked_ns": asked_ns, "checksum": checksum})
    if is_round:
        session.record.add({"event": "sample", "cell": cell.id, "process": session.process_of(cell), "round": 0, "position": 0, **sample})


def _project(session: Session, cell: Cell, single_ns: int, why: str, cap_ns: int) -> None:
    reason = f"projected ≥ {seconds(single_ns)} ({why}): an iteration may take {seconds(cap_ns)} in a run of this length"
    session.record.add({"event": "projected", "cell": cell.id, "projected_ns": single_ns, "reason": reason})

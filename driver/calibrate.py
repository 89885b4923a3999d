"""Before the rounds: every cell passes its gate and gets its number of iterations, or is projected when it costs too much."""

from __future__ import annotations

from collections.abc import Sequence

from driver.cells import Cell
from driver.checks import odd_ones_out
from driver.pace import LEAST_ROUNDS
from driver.plan import by_case, iterations_for, least_iterations, predict, seconds
from driver.problem import OutOfTime
from driver.session import Session

_WARM_NS = 3_000_000  # enough to see how long a short iteration takes once caches are warm
_GATE_TO_ITERATION = 4  # the gate counts and verifies: an iteration may be so many times faster
_WAITING = 2  # times what the parameters alone demand are no fault of a model: a million tasks that are held for a second
_GATE_TELLS = 2  # times over what an iteration might still fit in: below, the gate may have met a pause of the machine


def calibrate_all(session: Session, cells: Sequence[Cell]) -> None:
    """Cells that a resumed run has calibrated keep their iterations. Stops at half of the budget: rounds need the rest."""
    limit_ns = session.pace.cell_budget_ns(sum(cell.status != "unsupported" for cell in cells)) // LEAST_ROUNDS
    wanted = [cell for cell in cells if cell.waits and cell.paced and cell.iterations is None]
    try:
        for number, cell in enumerate(wanted):
            if session.left_ns() < session.pace.budget_ns // 2:
                break
            session.progress.tell(f"checking and calibrating {number + 1}/{len(wanted)} {cell.id}", session.left_ns() / 1e9)
            while cell.waits and cell.iterations is None:
                _calibrate(session, cell, cells, max(limit_ns, _WAITING * (cell.bound_ns or 0)))
    except OutOfTime:
        pass
    for models in by_case(cells).values():
        for cell_id, reason in odd_ones_out(models).items():
            session.fail(session.record.cells[cell_id], "wrong", reason, "checks")


def _calibrate(session: Session, cell: Cell, cells: Sequence[Cell], limit_ns: int) -> None:
    """Fails into the record; the caller tries again while the cell waits. An iteration may take `limit_ns`."""
    predicted = predict(cell, cells)
    single = predicted.single_ns
    if (single // 2 if predicted.scaled else single) > limit_ns:
        _project(session, cell, single, predicted.why, limit_ns)
        return
    gate_ns = session.gate(cell, single)
    if gate_ns is None:
        return
    if gate_ns > _GATE_TELLS * _GATE_TO_ITERATION * limit_ns:
        _project(session, cell, gate_ns // _GATE_TO_ITERATION, f"its gate pass took {seconds(gate_ns)}", limit_ns)
        return
    sample = session.sample(cell, 1, single, "calibration")
    if sample is None:
        return
    single, asked = sample["wall_ns"], sample["asked_ns"]
    repeated = not cell.fresh_process
    if repeated and (single < session.pace.target_ns or limit_ns < asked < 2 * limit_ns):  # the first one was cold: this one is as the later ones will be
        iterations = iterations_for(min(_WARM_NS, session.pace.target_ns), single)
        warm = session.sample(cell, iterations, iterations * single, "calibration")
        if warm is None:
            return
        single, asked = max(1, warm["wall_ns"] // iterations), warm["asked_ns"] // iterations
    if asked > limit_ns:
        around = f", {seconds(asked)} with what is done around it" if single <= limit_ns else ""
        _project(session, cell, single, f"one iteration took {seconds(single)}{around}", limit_ns)
        return
    iterations = max(iterations_for(session.pace.target_ns, single), least_iterations(cell, sample.get("latency"))) if repeated else 1
    session.record.add(
        {"event": "calibration", "cell": cell.id, "iterations": iterations, "single_ns": single, "asked_ns": asked, "checksum": sample["checksum"]}
    )
    cell.gated_in = session.process_of(cell)


def _project(session: Session, cell: Cell, single_ns: int, why: str, limit_ns: int) -> None:
    reason = f"projected ≥ {seconds(single_ns)} ({why}): {LEAST_ROUNDS} rounds exceed the {seconds(LEAST_ROUNDS * limit_ns)} of a cell"
    session.record.add({"event": "projected", "cell": cell.id, "projected_ns": single_ns, "reason": reason})

"""The measuring itself: seeded random rounds over the calibrated cells until all are done or the time is spent."""

from __future__ import annotations

from collections.abc import Sequence

from driver.cells import Cell
from driver.noise import Instant, spent
from driver.pace import LEAST_ROUNDS
from driver.plan import SCREEN_ROUNDS, Standing, afford_fresh_processes, by_case, clearly_slower, due, goals, has_enough, processes_due, round_order, sample_cost_ns, seconds, shed
from driver.problem import OutOfTime
from driver.session import Session


def run_rounds(session: Session, cells: Sequence[Cell], seed: int) -> str:
    """Why it stopped."""
    record, pace = session.record, session.pace
    if record.rounds_done == 0:
        _make_room(session, cells)
    while record.rounds_done < pace.utmost_rounds:
        number = record.rounds_done
        regular = number < pace.most_rounds
        active = _active(session, cells)
        if not active and number == 0 and any(cell.waits for cell in cells):  # their calibration has spent it
            return "time budget"
        if not active:
            return "nothing left to measure" if regular else "all rounds done"
        standing = {name: Standing(record.visited[name], sum(map(sample_cost_ns, models))) for name, models in by_case(active).items()}
        wanted = goals(standing, session.left_ns(), pace.most_rounds if regular else pace.utmost_rounds)
        planned = max(wanted.values())
        taking_part = [cell for cell in active if due(standing[cell.case.name], wanted[cell.case.name], number, planned)]
        if number >= planned or (number >= LEAST_ROUNDS and sum(map(sample_cost_ns, taking_part)) > session.left_ns()):
            return "time budget"
        fresh = regular and record.processes < processes_due(number, pace.processes, [*wanted.values(), pace.most_rounds])
        if fresh and afford_fresh_processes(by_case(active), record.visited, session.left_ns()):
            session.restart_all()
            record.add({"event": "fresh_processes"})
        try:
            _round(session, taking_part, seed, planned)
        except OutOfTime:
            return "time budget"
        record.add({"event": "round", "round": number})
        if number + 1 >= SCREEN_ROUNDS:
            _screen(session, taking_part)
    return "all rounds done"


def _planned_ns(session: Session) -> int:
    """Others may take more of the machine by and by, and fewer than the least rounds are worth nothing."""
    return session.left_ns() * 3 // 4


def _active(session: Session, cells: Sequence[Cell]) -> list[Cell]:
    """What may be measured; after the last regular round, the cases in which others disturbed some of them."""
    active = [cell for cell in cells if cell.waits and cell.iterations is not None and not has_enough(cell)]
    extra = session.record.rounds_done - session.pace.most_rounds
    if extra < 0:
        return active
    disturbed = session.record.disturbed_visits()
    return [cell for cell in active if disturbed[cell.case.name] > extra]


def _make_room(session: Session, cells: Sequence[Cell]) -> None:
    calibrated = [cell for cell in cells if cell.waits and cell.iterations is not None]
    too_much = shed(calibrated, _planned_ns(session))
    for cell in too_much.left_out:
        session.record.add({"event": "left_out", "cell": cell.id, "reason": "left out: the time budget is too short for what does not compete"})
    for cell in too_much.projected:
        single = cell.single_ns or 0
        reason = f"projected ≥ {seconds(single)} (one iteration as calibrated): {LEAST_ROUNDS} rounds of it do not fit the time budget"
        session.record.add({"event": "projected", "cell": cell.id, "projected_ns": single, "reason": reason})


def _screen(session: Session, measured: Sequence[Cell]) -> None:
    for models in by_case(measured).values():
        for cell_id, reason in clearly_slower(models).items():
            cell = session.record.cells[cell_id]
            session.record.add({"event": "stopped", "cell": cell_id, "rounds": len(cell.samples), "reason": reason})


def _round(session: Session, active: Sequence[Cell], seed: int, planned: int) -> None:
    number = session.record.rounds_done
    for models in round_order(seed, number, active):
        if all(_done(cell, number) for cell in models):  # before the run was resumed
            continue
        before = Instant.now(session.pids(models))
        claimed = 0
        for position, cell in enumerate(models):
            session.progress.tell(f"round {number + 1}/{planned} {cell.id}", session.left_ns() / 1e9)
            while cell.waits and not _done(cell, number):
                claimed += _measure(session, cell, number, position)
        heard = session.listener.hear(spent(before, Instant.now(session.pids(models)), claimed))
        session.record.add({"event": "visit", "round": number, "case": models[0].case.name, **heard})


def _done(cell: Cell, number: int) -> bool:
    return bool(cell.samples) and cell.samples[-1]["round"] == number


def _measure(session: Session, cell: Cell, number: int, position: int) -> int:
    """Takes the sample, in a process that has passed the gate and warmed up. The CPU time that it claims, in ns."""
    assert cell.iterations is not None and cell.single_ns is not None
    expected = max(sample_cost_ns(cell), cell.iterations * cell.single_ns)
    if not session.ready(cell):
        if session.gate(cell, cell.single_ns) is None:
            return 0
        # A long iteration is as warm after the gate pass, which is one, as it will ever be.
        if cell.iterations > 1 and session.sample(cell, 1, cell.single_ns, "warm-up", number) is None:
            return 0
        cell.gated_in = session.process_of(cell)
    sample = session.sample(cell, cell.iterations, expected, "round", number)
    if sample is None:
        return 0
    del sample["checksum"]
    session.record.add({"event": "sample", "cell": cell.id, "process": session.process_of(cell), "round": number, "position": position, **sample})
    return int(sample["cpu_user_ns"] + sample["cpu_sys_ns"] + sample.get("origin_cpu_ns", 0) + sample.get("load_cpu_ns", 0))

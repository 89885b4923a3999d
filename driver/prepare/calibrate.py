"""Before its rounds, every cell gets its arrival rate, passes its checks and is timed; too expensive cells are
projected."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from driver.prepare.aa_control import AA_CONTROLS
from driver.prepare.plan import DEAR_NS, iterations_for, least_iterations, predict
from driver.problem import OutOfTime
from driver.progress import seconds
from driver.session.cells import LOAD, LOADS, REPRESENTATIVE, Cell, by_case, grouped
from driver.session.checks import odd_ones_out
from driver.session.preset import SAMPLE_NS
from driver.session.session import Session

_SATURATION_NS = 30_000_000
_SATURATION_SAMPLES = 3
# of its core that the load generator may need at the highest load; it needs more for each request when fewer come
_SENDER_SHARE = 0.4
_FIRST_NS = 100_000_000  # a guess, which only deadlines are made from
_CHECK_TO_ITERATION = 4  # the check pass counts and verifies: an iteration may be so many times faster
# times what the parameters alone demand are no fault of a model: a million tasks that are held for a second
_WAITING = 2
_HOLDING = 12  # the same where memory decides: only a few rounds are taken
_CHECKED_NS = 50_000_000  # a longer hold is not checked in a pass of its own
_CLAIMED = 4  # times the cap: what a claim is judged by is dear by its nature
_PLAUSIBLE = 200  # times what the fastest model of the case takes: what takes longer hangs
COLD_NS = 15_000_000  # a longer iteration hardly feels that the process was idle before it


def set_arrival_rates(session: Session, cells: Sequence[Cell]) -> None:
    """What a resumed run has measured stays. A case that there is no time for stays without a rate."""
    paced = [cell for cell in cells if cell.case.paced_by and cell.state.waits and cell.state.offered_per_s is None]
    try:
        for loads in grouped(paced, _but_for_its_load).values():
            for of_model in grouped(loads, lambda cell: cell.model).values():
                _saturate(session, of_model)
            _set_arrival_rates(session, loads)
    except OutOfTime:
        pass


def _but_for_its_load(cell: Cell) -> str:
    return f"{cell.case.workload} {sorted((name, value) for name, value in cell.case.params.items() if name != LOAD)}"


def _saturate(session: Session, loads: Sequence[Cell]) -> None:
    """Of one model; failures go to its first load, and if they go on keep the others from being measured."""
    cell = loads[0]
    if cell.model in AA_CONTROLS.values() or cell.state.saturation_per_s is not None:
        return
    session.progress.tell(f"measuring what {cell.model} can serve", session.left_ns() / 1e9)
    while cell.state.waits:
        per_s = _saturation(session, cell)
        if per_s is not None:
            for each in loads:
                session.record.add({"event": "saturation", "cell": each.id, "per_s": per_s})
            return
    for other in loads[1:]:
        if cell.state.status == "unsupported":
            session.record.add({"event": "unsupported", "cell": other.id, "reason": cell.state.reason})
        else:
            session.fail(other, cell.state.status, cell.state.reason, "checks")


def _saturation(session: Session, cell: Cell) -> int | None:
    first = session.sample(cell, 1, _FIRST_NS, "saturation", per_s=0)
    if first is None:
        return None
    iterations = iterations_for(_SATURATION_NS, first["wall_ns"])
    walls = []
    for _ in range(_SATURATION_SAMPLES):
        sample = session.sample(cell, iterations, iterations * first["wall_ns"], "saturation", per_s=0)
        if sample is None:
            return None
        walls.append(int(sample["wall_ns"]))
    return max(1, round(cell.units * iterations * 1e9 / median(walls)))


def _offered(session: Session, loads: Sequence[Cell], per_s: int) -> int:
    """At most so many that the load generator, which sends each request at its own time, is not the limit itself."""
    most = max(LOADS)
    shares = [_SENDER_SHARE]
    for cell in (cell for cell in loads if cell.state.waits and cell.case.params[LOAD] == most):
        sample = session.sample(cell, 1, _FIRST_NS, "saturation", per_s=max(1, per_s * most // 100))
        if sample is not None:
            shares.append(sample.get("load_cpu_ns", 0) / sample["wall_ns"])
    return max(1, round(per_s * _SENDER_SHARE / max(shares)))


def _set_arrival_rates(session: Session, loads: Sequence[Cell]) -> None:
    """The slowest of those that compete decides, or of all where none does: all models get the same load, and each can
    bear it, as can the load generator."""
    known = [cell for cell in loads if cell.state.saturation_per_s is not None]
    competing = [cell for cell in known if cell.rank == REPRESENTATIVE]
    slowest = min((cell.state.saturation_per_s or 0 for cell in competing or known), default=None)
    if slowest is None:
        return
    slowest = _offered(session, competing or known, slowest)
    for cell in loads:
        if cell.state.waits:
            per_s = max(1, slowest * cell.case.params[LOAD] // 100)
            session.record.add({"event": "pace", "cell": cell.id, "per_s": per_s})


def calibrate(session: Session, cells: Sequence[Cell], known: Sequence[Cell], until_left_ns: int) -> None:
    """Those of `cells` that want it, from `known` ones what they will take. Cells that a resumed run has calibrated
    stay. Leaves that much of the time."""
    wanted = [cell for cell in cells if cell.state.waits and cell.paced and cell.state.iterations is None]
    try:
        for number, cell in enumerate(wanted):
            if session.left_ns() < until_left_ns:
                break
            session.progress.tell(
                f"checking and calibrating {number + 1}/{len(wanted)} {cell.id}", session.left_ns() / 1e9
            )
            while cell.state.waits and cell.state.iterations is None:
                _calibrate(session, cell, known)
    except OutOfTime:
        pass
    for models in by_case(known).values():
        for cell_id, reason in odd_ones_out(models).items():
            session.fail(session.record.cells[cell_id], "wrong", reason, "checks")


def _calibrate(session: Session, cell: Cell, known: Sequence[Cell]) -> None:
    """Fails into the record; the caller tries again while the cell waits."""
    usual_ns = session.preset.cap_ns(sum(other.state.status != "unsupported" for other in known))
    if cell.named:
        usual_ns = max(usual_ns, session.preset.cap_of_named_ns(len(by_case(known))))
    cap_ns = max(
        usual_ns * (_CLAIMED if cell.claimed else 1),
        (_HOLDING if cell.case.metric == "memory" else _WAITING) * (cell.bound_ns or 0),
    )
    predicted = predict(cell, known)
    single = predicted.single_ns
    if (single // 2 if predicted.scaled else single) >= cap_ns:
        _project(session, cell, single, predicted.why, cap_ns)
        return
    fastest = min(
        (other.state.single_ns for other in known if other.case is cell.case and other.state.single_ns is not None),
        default=0,
    )
    plausible = max(_PLAUSIBLE * fastest, single) > cap_ns
    if cell.fresh_process and (cell.bound_ns or 0) > _CHECKED_NS:
        _first_round(session, cell, single, cap_ns)
        return
    check_ns = session.check(cell, single, _CHECK_TO_ITERATION * cap_ns if plausible else None)
    if check_ns is None:
        return
    if check_ns > 2 * _CHECK_TO_ITERATION * cap_ns:
        _project(session, cell, check_ns // _CHECK_TO_ITERATION, f"its check pass took {seconds(check_ns)}", cap_ns)
        return
    untimed = int(not cell.fresh_process and check_ns < COLD_NS)
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
    """Of a cell whose every sample is long and has a process of its own: there is nothing to find out before, and its
    outputs are verified after it."""
    sample = session.sample(cell, 1, expected_ns, "round", 0, cap_ns=cap_ns)
    if sample is None:
        return
    _calibrated(session, cell, 1, sample["asked_ns"], sample, is_round=True)


def _calibrated(
    session: Session, cell: Cell, iterations: int, asked_ns: int, sample: dict[str, Any], is_round: bool
) -> None:
    """`is_round`: the sample is the first one of the cell's rounds, too: a dear one is not to be lost."""
    checksum = sample.pop("checksum")
    session.record.add(
        {
            "event": "calibration",
            "cell": cell.id,
            "iterations": iterations,
            "single_ns": sample["wall_ns"],
            "asked_ns": asked_ns,
            "checksum": checksum,
        }
    )
    if is_round:
        session.record.add({"event": "sample", "cell": cell.id, "round": 0, "position": 0, **sample})


def _project(session: Session, cell: Cell, single_ns: int, why: str, cap_ns: int) -> None:
    reason = (
        f"projected ≥ {seconds(single_ns)} ({why}): an iteration may take {seconds(cap_ns)} in a run of this length"
    )
    session.record.add({"event": "projected", "cell": cell.id, "projected_ns": single_ns, "reason": reason})

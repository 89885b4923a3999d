"""How fast requests come in an open loop: a share of what the models were measured to serve in a closed one, or of what the load generator can send if that is less."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from driver.cells import LOAD, LOADS, REPRESENTATIVE, Cell
from driver.plan import iterations_for
from driver.problem import OutOfTime
from driver.session import Session
from driver.twins import TWINS

_SAMPLE_NS = 30_000_000
_SAMPLES = 3
_SENDER_SHARE = 0.4  # of its core that the load generator may need at the highest load; it needs more for each request when fewer come
_FIRST_NS = 100_000_000  # a guess, which only deadlines are made from


def pace_all(session: Session, cells: Sequence[Cell]) -> None:
    """What a resumed run has measured stays. A case that there is no time for stays without a pace."""
    paced = [cell for cell in cells if cell.case.paced_by and cell.waits and cell.offered_per_s is None]
    try:
        for loads in _by_all_but(LOAD, paced).values():
            for of_model in _by_model(loads).values():
                _saturate(session, of_model)
            _pace(session, loads)
    except OutOfTime:
        pass


def _by_all_but(param: str, cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        others = sorted((name, value) for name, value in cell.case.params.items() if name != param)
        groups.setdefault(f"{cell.case.workload} {others}", []).append(cell)
    return groups


def _by_model(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.model, []).append(cell)
    return groups


def _saturate(session: Session, loads: Sequence[Cell]) -> None:
    """Of one model; failures go to its first load, and if they go on keep the others from being measured."""
    cell = loads[0]
    if cell.model in TWINS.values() or cell.saturation_per_s is not None:
        return
    session.progress.tell(f"measuring what {cell.model} can serve", session.left_ns() / 1e9)
    while cell.waits:
        per_s = _saturation(session, cell)
        if per_s is not None:
            for each in loads:
                session.record.add({"event": "saturation", "cell": each.id, "per_s": per_s})
            return
    for other in loads[1:]:
        if cell.status == "unsupported":
            session.record.add({"event": "unsupported", "cell": other.id, "reason": cell.reason})
        else:
            session.fail(other, cell.status, cell.reason, "checks")


def _saturation(session: Session, cell: Cell) -> int | None:
    first = session.sample(cell, 1, _FIRST_NS, "saturation", per_s=0)
    if first is None:
        return None
    iterations = iterations_for(_SAMPLE_NS, first["wall_ns"])
    walls = []
    for _ in range(_SAMPLES):
        sample = session.sample(cell, iterations, iterations * first["wall_ns"], "saturation", per_s=0)
        if sample is None:
            return None
        walls.append(int(sample["wall_ns"]))
    return max(1, round(cell.units * iterations * 1e9 / median(walls)))


def _offered(session: Session, loads: Sequence[Cell], per_s: int) -> int:
    """At most so many that the load generator, which sends each request at its own time, is not the limit itself."""
    most = max(LOADS)
    shares = [_SENDER_SHARE]
    for cell in (cell for cell in loads if cell.waits and cell.case.params[LOAD] == most):
        sample = session.sample(cell, 1, _FIRST_NS, "saturation", per_s=max(1, per_s * most // 100))
        if sample is not None:
            shares.append(sample.get("load_cpu_ns", 0) / sample["wall_ns"])
    return max(1, round(per_s * _SENDER_SHARE / max(shares)))


def _pace(session: Session, loads: Sequence[Cell]) -> None:
    """The slowest of those that compete decides, or of all where none does: all models get the same load, and each can bear it, as can the load generator."""
    known = [cell for cell in loads if cell.saturation_per_s is not None]
    competing = [cell for cell in known if cell.rank == REPRESENTATIVE]
    slowest = min((cell.saturation_per_s or 0 for cell in competing or known), default=None)
    if slowest is None:
        return
    slowest = _offered(session, competing or known, slowest)
    for cell in loads:
        if cell.waits:
            per_s = max(1, slowest * cell.case.params[LOAD] // 100)
            session.record.add({"event": "pace", "cell": cell.id, "per_s": per_s})

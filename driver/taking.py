"""One sample of a round, and when the process that takes it is to start anew."""

from __future__ import annotations

from collections import Counter
from statistics import median

from driver.calibrate import COLD_NS
from driver.cells import Cell
from driver.pace import SAMPLE_NS
from driver.plan import iterations_for, least_iterations, sample_cost_ns
from driver.session import Session


def is_worn(session: Session, cell: Cell, rounds: int) -> bool:
    """The process that runs now has measured the cell in so many rounds."""
    if cell.fresh_process or not session.started(cell):
        return False
    of_process = Counter(sample["process"] for sample in cell.samples[-rounds:])
    return of_process[session.process_of(cell)] >= rounds


def take(session: Session, cell: Cell, number: int, position: int) -> int:
    """Takes the sample; a process that has not passed the checks of the cell does so first. The CPU time that it claims, in ns."""
    assert cell.iterations is not None and cell.single_ns is not None
    recent = cell.samples[-3:]
    single_ns = max(1, round(median(sample["wall_ns"] / sample["iterations"] for sample in recent))) if recent else cell.single_ns
    if cell.fresh_process:
        iterations, untimed = 1, 0
    else:
        iterations = max(iterations_for(SAMPLE_NS, single_ns), least_iterations(cell, recent) if recent else cell.iterations)
        untimed = int(single_ns < COLD_NS)
    expected = max(sample_cost_ns(cell), iterations * single_ns) + (cell.gate_ns or 0)
    sample = session.sample(cell, iterations, expected, "round", number, untimed=untimed)
    if sample is None:
        return 0
    del sample["checksum"]
    session.record.add({"event": "sample", "cell": cell.id, "process": session.process_of(cell), "round": number, "position": position, **sample})
    return int(sample["cpu_user_ns"] + sample["cpu_sys_ns"] + sample.get("origin_cpu_ns", 0) + sample.get("load_cpu_ns", 0))

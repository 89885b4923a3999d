"""The measuring loop: every case gets its first rounds, then the open cases continue from look to look until all are
decided or the time is spent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from driver.measure.case_schedule import CaseSchedule, balanced_order, next_case_of_a_round, next_cases, schedules
from driver.prepare.aa_control import AA_CONTROLS
from driver.prepare.calibrate import COLD_NS, calibrate
from driver.prepare.plan import (
    ROUNDS_OF_A_PROCESS,
    SCREEN_ROUNDS,
    clearly_slower,
    excess,
    first_rounds,
    iterations_for,
    least_iterations,
    promised,
    rounds_of_a_process,
    sample_cost_ns,
)
from driver.problem import OutOfTime
from driver.progress import seconds
from driver.session.cells import REPRESENTATIVE, Cell
from driver.session.preset import SAMPLE_NS
from driver.session.session import Session

# 1/2 of the budget at least is left for rounds, 1/4 where the user chose what is dear
_PREPARED, _PREPARED_NAMED = 2, 4
_FIRST_SHARE, _NAMED_SHARE = 0.75, 0.9  # of what is left then: for the first rounds; for those of what the user named
_TOGETHER = 10  # cases whose rounds alternate: rounds of one case in a row would share a moment of the machine
_CONFIRMING = 2  # rounds at the end that may contradict what was found
_LAST_SHARE = 20  # 1/20 of the budget is kept for them
_BESIDE_SHARE = 4  # 1/4 of the budget at most goes into what is only shown


def run_rounds(session: Session, cells: Sequence[Cell], seed: int) -> str:
    """Why it stopped."""
    run = _Rounds(session, cells, seed)
    try:
        return run.all()
    except OutOfTime:
        return "time budget"


class _Rounds:
    def __init__(self, session: Session, cells: Sequence[Cell], seed: int) -> None:
        self._session = session
        self._cells = cells
        self._seed = seed
        processes = {
            name: model.hello.get("resources", {}).get("processes", 1) for name, model in session.record.models.items()
        }
        self._cases = schedules(cells, processes)
        for name, case in self._cases.items():
            case.follow(session.record.visited[name])

    def all(self) -> str:
        session = self._session
        first = [cell for cell in self._cells if not cell.shown_only]
        calibrate(
            session,
            first,
            self._cells,
            session.preset.budget_ns // (_PREPARED_NAMED if all(cell.named for cell in first) else _PREPARED),
        )
        if not session.record.visits:
            self._make_room(first)
        if not any(case.taking_part() for case in self._cases.values()):
            # their calibration has spent it
            waits = any(cell.state.waits and cell.state.iterations is None for cell in first)
            return "time budget" if waits else "nothing left to measure"
        self._sweeps(self._cases.values(), lambda case: case.done < case.first_look, CaseSchedule.taking_part)
        self._sweeps(self._cases.values(), lambda case: case.done < case.promised, CaseSchedule.taking_part)
        self._beside()
        last_ns = session.preset.budget_ns // _LAST_SHARE
        self._look_on(last_ns)
        self._confirm()
        self._look_on(0)
        self._use_up()
        if any(case.goes_on for case in self._cases.values()):
            return "time budget"
        return (
            "all rounds done"
            if any(case.open_in is not None for case in self._cases.values())
            else "all cases are decided"
        )

    def _make_room(self, first: Sequence[Cell]) -> None:
        """Others may take more of the machine by and by, and fewer than the first rounds are worth nothing."""
        record = self._session.record
        share = _NAMED_SHARE if all(cell.named for cell in first) else _FIRST_SHARE
        too_much = excess([cell for cell in first if cell.state.ready], round(self._session.left_ns() * share))
        for cell in too_much.left_out:
            self._leave_out(cell)
        for cell in too_much.projected:
            single = cell.state.single_ns or 0
            reason = (
                f"projected ≥ {seconds(single)} (one iteration as calibrated): {first_rounds(cell)} rounds of it do not"
                " fit the time budget"
            )
            record.add({"event": "projected", "cell": cell.id, "projected_ns": single, "reason": reason})
        for cell_id, rounds in promised(
            [cell for cell in first if cell.state.ready], round(self._session.left_ns() * _NAMED_SHARE)
        ).items():
            record.add({"event": "promised", "cell": cell_id, "rounds": rounds})

    def _leave_out(self, cell: Cell) -> None:
        self._session.record.add(
            {
                "event": "left_out",
                "cell": cell.id,
                "reason": "left out: the time budget is too short for models that do not compete",
            }
        )

    def _beside(self) -> None:
        """What is only shown has the first rounds beside what competes, case by case, while there is time. What memory
        decides comes last: each of its rounds is dear."""
        wanted = [
            case for case in self._cases.values() if any(cell.shown_only and cell.state.waits for cell in case.cells)
        ]
        share_ns = self._session.preset.budget_ns // _BESIDE_SHARE
        until_left_ns = max(share_ns, self._session.left_ns() - share_ns)
        for by_memory in (False, True):
            self._show([case for case in wanted if case.by_memory == by_memory], until_left_ns)
        for cell in (cell for case in wanted for cell in case.cells):
            if cell.shown_only and cell.state.waits and not cell.state.samples:
                self._leave_out(cell)

    def _show(self, cases: Sequence[CaseSchedule], until_left_ns: int) -> None:
        calibrate(
            self._session,
            [cell for case in cases for cell in case.cells if cell.shown_only],
            self._cells,
            until_left_ns,
        )

        def taking_part(case: CaseSchedule) -> list[Cell]:
            both = [*case.wanting(), *(case.taking_part() if case.open_in is not None else case.reference())]
            return list({cell.id: cell for cell in both}.values())

        for case in sorted(cases, key=lambda case: sum(map(sample_cost_ns, case.wanting()))):
            if self._session.left_ns() < until_left_ns:
                break
            self._sweeps([case], lambda case: bool(case.wanting()), taking_part)

    def _look_on(self, until_left_ns: int) -> None:
        while chosen := next_cases(self._cases.values(), self._session.left_ns() - until_left_ns, _TOGETHER):
            target_rounds = {case.name: case.next_look or 0 for case in chosen}
            self._sweeps(chosen, lambda case: case.done < target_rounds[case.name], CaseSchedule.taking_part)

    def _use_up(self) -> None:
        """What is left is too short for any next look. The report looks at the rounds that there are."""
        while (case := next_case_of_a_round(self._cases.values(), self._session.left_ns())) is not None:
            self._round(case, case.taking_part())

    def _confirm(self) -> None:
        finished = [
            case
            for case in self._cases.values()
            if case.open_in is None and not case.by_memory and case.verdicts[case.metrics[0]].kind != "none"
        ]
        target_rounds = {case.name: case.done + _CONFIRMING for case in finished}
        for case in sorted(finished, key=lambda case: sum(map(sample_cost_ns, case.confirming()))):
            if sum(map(sample_cost_ns, case.confirming())) * _CONFIRMING > self._session.left_ns():
                break
            self._sweeps([case], lambda case: case.done < target_rounds[case.name], CaseSchedule.confirming)

    def _sweeps(
        self,
        cases: Iterable[CaseSchedule],
        wants: Callable[[CaseSchedule], bool],
        taking_part: Callable[[CaseSchedule], list[Cell]],
    ) -> None:
        """One round of each case that wants one, in fresh random order, until none does."""
        going = list(cases)
        while going := [case for case in going if wants(case) and taking_part(case)]:
            random.Random(f"{self._seed}:{len(self._session.record.visits)}").shuffle(going)
            for case in going:
                self._round(case, taking_part(case))

    def _round(self, case: CaseSchedule, cells: list[Cell]) -> None:
        session, number = self._session, case.done
        start = random.Random(f"{self._seed}:{case.name}").randrange(1 << 30)
        ordered = balanced_order(sorted(cells, key=lambda cell: cell.model), number, start)
        for model in {cell.model for cell in cells if case.open_in is not None and self._is_worn(cell, case)}:
            session.renew(model)
        with session.visit(ordered, number) as claimed:
            for position, cell in enumerate(ordered):
                session.progress.tell(f"round {number + 1} {cell.id}", session.left_ns() / 1e9)
                # it may have been taken before the run was resumed
                while cell.state.waits and not (cell.state.samples and cell.state.samples[-1]["round"] == number):
                    claimed.append(take(session, cell, number, position))
        case.follow(session.record.visited[case.name])
        for cell_id, reason in clearly_slower(cells, case.competing()).items():
            session.record.add({"event": "stopped", "cell": cell_id, "rounds": SCREEN_ROUNDS, "reason": reason})

    def _is_worn(self, cell: Cell, case: CaseSchedule) -> bool:
        """The process that runs now has measured the cell often enough."""
        first = case.done < case.first_look
        if (
            not first
            and cell.rank != REPRESENTATIVE
            and not cell.paired
            and not cell.in_front
            and cell.model not in AA_CONTROLS.values()
        ):
            return False
        return is_worn(
            self._session,
            cell,
            rounds_of_a_process(cell, self._session.preset.first_of_a_process) if first else ROUNDS_OF_A_PROCESS,
        )


def is_worn(session: Session, cell: Cell, rounds: int) -> bool:
    """The process that runs now has measured the cell in so many rounds."""
    if cell.fresh_process or not session.started(cell):
        return False
    of_process = Counter(sample["process"] for sample in cell.state.samples[-rounds:])
    return of_process[session.process_of(cell)] >= rounds


def take(session: Session, cell: Cell, number: int, position: int) -> int:
    """Takes the sample; a process that has not passed the checks of the cell does so first. The CPU time that it
    claims, in ns."""
    assert cell.state.iterations is not None and cell.state.single_ns is not None
    recent = cell.state.samples[-3:]
    single_ns = (
        max(1, round(median(sample["wall_ns"] / sample["iterations"] for sample in recent)))
        if recent
        else cell.state.single_ns
    )
    if cell.fresh_process:
        iterations, untimed = 1, 0
    else:
        iterations = max(
            iterations_for(SAMPLE_NS, single_ns), least_iterations(cell, recent) if recent else cell.state.iterations
        )
        untimed = int(single_ns < COLD_NS)
    expected = max(sample_cost_ns(cell), iterations * single_ns) + (cell.state.check_ns or 0)
    sample = session.sample(cell, iterations, expected, "round", number, untimed=untimed)
    if sample is None:
        return 0
    del sample["checksum"]
    session.record.add({"event": "sample", "cell": cell.id, "round": number, "position": position, **sample})
    return int(
        sample["cpu_user_ns"] + sample["cpu_sys_ns"] + sample.get("origin_cpu_ns", 0) + sample.get("load_cpu_ns", 0)
    )

"""Measures cells in their processes, and records what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from driver.machine.noise import Instant, VisitJudge, spent
from driver.problem import OutOfTime
from driver.progress import seconds
from driver.session import protocol
from driver.session.bench import Answer, Bench
from driver.session.cells import Cell
from driver.session.checks import wrong_sample
from driver.session.processes import Processes
from driver.session.record import Record

_NOT_KEPT = ("outcome", "units", "scheduled")  # of the answer: the first says ok, the others follow from the iterations
_PATIENCE = 20  # times the expected time: other programs may hold the cores


class Session:
    """What is asked of the processes of a run, and goes into its record."""

    def __init__(self, processes: Processes, record: Record) -> None:
        self.preset = processes.preset
        self.progress = processes.progress
        self.record = record
        self._processes = processes
        self._visit_judge = VisitJudge()
        self._numbers: dict[Bench, int] = {
            bench: record.models[name].starts - 1 for name, bench in processes.running().items()
        }

    def left_ns(self) -> int:
        """Of the time budget."""
        return self.preset.budget_ns - (time.monotonic_ns() - self._processes.begin_ns)

    def process_of(self, cell: Cell) -> int:
        """Which start of the model's process measures the cell, or did so last."""
        return self._numbers.get(self._processes.of(cell), 0)

    def started(self, cell: Cell) -> bool:
        """The process that measures the cell runs already."""
        return self._processes.of(cell).running

    def renew(self, model: str) -> None:
        """Its process starts again when it is next asked."""
        self._processes.renew(model)

    def check(self, cell: Cell, expected_ns: int, cap_ns: int | None = None) -> int | None:
        """How long it took, a rough guide to what an iteration takes; None when the failure has been recorded."""
        begin_ns = time.monotonic_ns()
        answer = self._ask(cell, {"do": "gate", "params": cell.asked()}, expected_ns, "gate", None, cap_ns)
        if answer is None:
            return None
        told = {key: answer.body[key] for key in ("account", "bare_ns") if key in answer.body}
        took_ns = time.monotonic_ns() - begin_ns
        self.record.add({"event": "gate", "cell": cell.id, "account": None, "took_ns": took_ns, **told})
        return took_ns

    def sample(
        self,
        cell: Cell,
        iterations: int,
        expected_ns: int,
        during: str,
        number: int | None = None,
        *,
        untimed: int = 0,
        per_s: int | None = None,
        cap_ns: int | None = None,
    ) -> dict[str, Any] | None:
        """One believable sample, or None when the failure has been recorded. `untimed`: passes right before it;
        `per_s`: at another arrival rate than the chosen one."""
        begin_ns = time.monotonic_ns()
        request = {
            "do": "sample",
            "iterations": iterations,
            "params": cell.asked(per_s),
            **({"untimed": untimed} if untimed else {}),
        }
        answer = self._ask(cell, request, expected_ns, during, number, cap_ns)
        if answer is None:
            return None
        if reason := wrong_sample(cell, iterations, answer.body):
            self._processes.of(cell).end()
            self.fail(cell, "wrong", reason, during, number)
            return None
        kept = {
            key: answer.body[key]
            for key in protocol.schema()["$defs"]["sample"]["properties"]
            if key not in _NOT_KEPT and key in answer.body
        }
        return {**kept, "process": self.process_of(cell), "asked_ns": time.monotonic_ns() - begin_ns}

    def fail(self, cell: Cell, outcome: str, reason: str, during: str, number: int | None = None) -> None:
        """Records a failure. `during`: what was under way, `number`: in which round."""
        self.record.add(
            {
                "event": "failure",
                "cell": cell.id,
                "outcome": outcome,
                "reason": reason,
                "during": during,
                "round": number,
            }
        )

    @contextmanager
    def visit(self, cells: list[Cell], number: int) -> Iterator[list[int]]:
        """A round of a case, recorded with what others did to the machine meanwhile. Takes the CPU times that the
        samples claim, in ns."""
        claimed: list[int] = []
        before = Instant.now(self._processes.pids(cells))
        yield claimed
        signals = self._visit_judge.judge(spent(before, Instant.now(self._processes.pids(cells)), sum(claimed)))
        self.record.add({"event": "visit", "round": number, "case": cells[0].case.name, **signals})

    def _ask(
        self, cell: Cell, request: dict[str, Any], expected_ns: int, during: str, number: int | None, cap_ns: int | None
    ) -> Answer | None:
        """`cap_ns`: what takes longer is too dear to be measured, and not taken for a hang."""
        self._processes.waiter.check()
        bench = self._processes.of(cell)
        left = self.left_ns()
        if left <= expected_ns:
            raise OutOfTime
        patience = self.preset.grace_ns + _PATIENCE * expected_ns if cap_ns is None else cap_ns
        answer = Answer("ok")
        if not bench.running:
            answer = bench.start(2 * self.preset.grace_ns)
            self._numbers[bench] = self.record.start(cell.model)
            if answer.outcome == "unsupported":  # it could run here before
                answer = Answer("failed", answer.reason)
        if answer.outcome == "ok":
            answer = bench.ask({**request, "workload": cell.case.workload}, min(patience, left))
            if cell.fresh_process:
                bench.end()
        if answer.outcome == "ok":
            return answer
        if answer.outcome == "timed_out" and left < patience:
            raise OutOfTime
        if answer.outcome == "timed_out" and cap_ns is not None:
            self.record.add(
                {
                    "event": "projected",
                    "cell": cell.id,
                    "projected_ns": cap_ns,
                    "reason": f"projected ≥ {seconds(cap_ns)}: ended when its {during} had taken that long",
                }
            )
            return None
        if answer.outcome == "unsupported":
            self.record.add({"event": "unsupported", "cell": cell.id, "reason": answer.reason})
            return None
        self.fail(cell, answer.outcome, answer.reason, during, number)
        self._processes.restart_servers()
        return None

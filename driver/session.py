"""The open bench processes of a run: asks them, restarts them, and records what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driver.allocator import Allocator
from driver.bench import Answer, Bench
from driver.cells import Case, Cell, Malformed, quoted, read_hello
from driver.checks import KEPT, is_count, wrong_sample
from driver.noise import Instant, Listener, spent
from driver.nursery import Nursery
from driver.pace import Pace
from driver.plan import seconds
from driver.problem import OutOfTime, Problem
from driver.progress import Progress
from driver.record import Record
from driver.server import Server
from driver.waiting import Waiter

_SERVERS = {"origin": "origin server", "load": "load generator"}
_PATIENCE = 20  # times the expected time: other programs may hold the cores


class Session:
    """Not restartable; end() leaves no process behind, whatever state it is in."""

    def __init__(self, programs: Mapping[str, Path], servers: Mapping[str, Path], cores: int, allocator: Allocator, pace: Pace, progress: Progress, waiter: Waiter) -> None:
        self.pace = pace
        self.progress = progress
        self.waiter = waiter
        self.record: Record
        self._listener = Listener()
        self.offered: dict[str, dict[str, dict[str, Any]]] = {}  # workload → model → one of its cells, of whatever list, as hello has it
        self._begin_ns = time.monotonic_ns()
        self._nursery = Nursery()
        self._servers = {name: Server(_SERVERS[name], path, self._nursery, waiter) for name, path in servers.items()}
        self._cores = cores
        self._allocator = allocator
        self._benches = {name: Bench(path, [], self._nursery, waiter, allocator) for name, path in programs.items()}
        self._once: dict[str, Bench] = {}  # of each model, for cells that want a process in which nothing ran before

    def begin(self, record: Record) -> None:
        """From now on what happens is recorded."""
        self.record = record
        for name, bench in self._benches.items():
            if bench.running:
                bench.number = record.models[name].starts - 1

    def left_ns(self) -> int:
        return self.pace.budget_ns - (time.monotonic_ns() - self._begin_ns)

    def open(self, size: str | None = None) -> tuple[list[dict[str, Any]], list[Cell]]:
        """Starts every process; their model events and the cells of those that speak, of all lists of sizes or of one."""
        self._start_servers()
        events, cells = [], []
        known: dict[tuple[str, str], Case] = {}
        for name, bench in self._benches.items():
            self.progress.tell(f"opening {name}")
            answer = bench.start(2 * self.pace.grace_ns)
            status, reason = answer.outcome, answer.reason
            if status == "ok":
                try:
                    if (cores := answer.body.get("cores", self._cores)) != self._cores:
                        raise Malformed(f"cores is {quoted(cores)}, and it was started with --cores {self._cores}")
                    cells += read_hello(answer.body, name, known, size)
                    for row in answer.body["cells"]:
                        self.offered.setdefault(row["workload"], {})[name] = row
                except Malformed as malformed:
                    bench.end()
                    status, reason = "failed", f"its hello does not keep to the protocol: {malformed}"
            if status not in ("ok", "unsupported"):
                status = "failed"
            hello = {key: value for key, value in answer.body.items() if key != "cells"} if status == "ok" else {}
            events.append({"event": "model", "model": name, "status": status, "reason": reason, "hello": hello})
            if status == "ok":
                events.append({"event": "start", "model": name})
        if not self.offered:
            raise Problem("no model can be measured: " + "; ".join(f"{event['model']}: {event['reason'] or 'has no cells'}" for event in events[:3]))
        return events, cells

    def describe(self, model: str, workload: str, params: Mapping[str, int]) -> Answer:
        """What it says of a cell with these params. An outcome of usage: there is none, or it knows no such request."""
        self.waiter.check()
        self.progress.tell(f"asking {model} for {workload}")
        bench = self._benches[model]
        return bench.describe(workload, params, 2 * self.pace.grace_ns) if bench.running else Answer("failed", "its process has ended")

    def keep(self, events: list[dict[str, Any]], models: set[str]) -> list[dict[str, Any]]:
        """Ends the processes of all other models and leaves out their events, unless they say what went wrong."""
        for name in self._benches.keys() - models:
            self._benches[name].end()
        return [event for event in events if event["model"] in models or event.get("status", "ok") != "ok"]

    def add_twins(self, models: Mapping[str, str], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Second processes of the same programs, opened when they are first asked; their model events. `models`: twin → model."""
        for twin, model in models.items():
            own = self._benches[model]
            self._benches[twin] = Bench(own.program, own.arguments, self._nursery, self.waiter, self._allocator)
        opened = {event["model"]: event for event in events if event["event"] == "model"}
        return [{**opened[model], "model": twin, "twin_of": model} for twin, model in models.items()]

    def process_of(self, cell: Cell) -> int:
        """Which start of the model's process measures the cell, or did so last."""
        return self._bench(cell).number

    def started(self, cell: Cell) -> bool:
        """The process that measures the cell runs already."""
        return self._bench(cell).running

    def pids(self, cells: list[Cell]) -> list[int]:
        return [pid for cell in cells for pid in self._bench(cell).pids] + [pid for server in self._servers.values() for pid in server.pids]

    def gate(self, cell: Cell, expected_ns: int, cap_ns: int | None = None) -> int | None:
        """How long it took, a rough guide to what an iteration takes; None when the failure has been recorded."""
        begin_ns = time.monotonic_ns()
        answer = self._ask(cell, {"do": "gate", "params": cell.asked()}, expected_ns, "gate", None, cap_ns)
        if answer is None:
            return None
        account, bare_ns = answer.body.get("account"), answer.body.get("bare_ns")
        bound = {"bare_ns": bare_ns} if is_count(bare_ns) else {}
        took_ns = time.monotonic_ns() - begin_ns
        self.record.add({"event": "gate", "cell": cell.id, "account": account if isinstance(account, dict) else None, "took_ns": took_ns, **bound})
        return took_ns

    def sample(
        self, cell: Cell, iterations: int, expected_ns: int, during: str, number: int | None = None, *, untimed: int = 0, per_s: int | None = None, cap_ns: int | None = None
    ) -> dict[str, Any] | None:
        """One believable sample, or None when the failure has been recorded. `untimed`: passes right before it; `per_s`: at another pace than that which was chosen."""
        begin_ns = time.monotonic_ns()
        request = {"do": "sample", "iterations": iterations, "params": cell.asked(per_s), **({"untimed": untimed} if untimed else {})}
        answer = self._ask(cell, request, expected_ns, during, number, cap_ns)
        if answer is None:
            return None
        if reason := wrong_sample(cell, iterations, answer.body):
            self._bench(cell).end()
            self.fail(cell, "wrong", reason, during, number)
            return None
        kept = {key: answer.body[key] for key in (*KEPT, "checksum") if key in answer.body}
        return {**kept, "asked_ns": time.monotonic_ns() - begin_ns}

    def fail(self, cell: Cell, outcome: str, reason: str, during: str, number: int | None = None) -> None:
        self.record.add({"event": "failure", "cell": cell.id, "outcome": outcome, "reason": reason, "during": during, "round": number})

    def renew(self, model: str) -> None:
        """Its process starts again when it is next asked."""
        self._benches[model].end(grace_s=1)

    @contextmanager
    def visit(self, cells: list[Cell], number: int) -> Iterator[list[int]]:
        """A round of a case, recorded with what others did to the machine meanwhile. Takes the CPU times that the samples claim, in ns."""
        claimed: list[int] = []
        before = Instant.now(self.pids(cells))
        yield claimed
        heard = self._listener.hear(spent(before, Instant.now(self.pids(cells)), sum(claimed)))
        self.record.add({"event": "visit", "round": number, "case": cells[0].case.name, **heard})

    def end(self) -> None:
        self._nursery.end_all(grace_s=1)

    def _start_servers(self) -> None:
        urls: list[str] = []
        for name, server in self._servers.items():
            server.end()
            try:
                urls += [f"--{name}", server.start()]
            except Problem as problem:  # each model says of each cell that needs it why it cannot be measured
                self.progress.say(f"{problem}: what needs it is not measured")
        for bench in self._all_benches():
            bench.arguments = [*urls, "--cores", str(self._cores)]

    def _all_benches(self) -> list[Bench]:
        return [*self._benches.values(), *self._once.values()]

    def _bench(self, cell: Cell) -> Bench:
        own = self._benches[cell.model]
        if not cell.fresh_process:
            return own
        if cell.model not in self._once:
            self._once[cell.model] = Bench(own.program, own.arguments, self._nursery, self.waiter, self._allocator)
        return self._once[cell.model]

    def _ask(self, cell: Cell, request: dict[str, Any], expected_ns: int, during: str, number: int | None, cap_ns: int | None) -> Answer | None:
        """`cap_ns`: what takes longer is too dear to be measured, and not taken for a hang."""
        self.waiter.check()
        bench = self._bench(cell)
        left = self.left_ns()
        if left <= expected_ns:
            raise OutOfTime
        patience = self.pace.grace_ns + _PATIENCE * expected_ns if cap_ns is None else cap_ns
        answer = Answer("ok")
        if not bench.running:
            answer = bench.start(2 * self.pace.grace_ns)
            self.record.add({"event": "start", "model": cell.model})
            bench.number = self.record.models[cell.model].starts - 1
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
            self.record.add({"event": "projected", "cell": cell.id, "projected_ns": cap_ns, "reason": f"projected ≥ {seconds(cap_ns)}: ended when its {during} had taken that long"})
            return None
        if answer.outcome == "unsupported":
            self.record.add({"event": "unsupported", "cell": cell.id, "reason": answer.reason})
            return None
        self.fail(cell, answer.outcome, answer.reason, during, number)
        for server in self._servers.values():
            if server.died:
                self.progress.say(f"the {server.name} ended: the servers and all bench processes are started again")
                for bench in self._all_benches():
                    bench.end(grace_s=1)
                self._start_servers()
        return None


@contextmanager
def opened(programs: Mapping[str, Path], servers: Mapping[str, Path], cores: int, allocator: Allocator, pace: Pace, progress: Progress) -> Iterator[Session]:
    """A session that hears signals while it lasts, and leaves no process behind."""
    with Waiter(progress.tick) as waiter:
        session = Session(programs, servers, cores, allocator, pace, progress, waiter)
        try:
            yield session
        finally:
            session.end()
            progress.end()

"""The open bench processes of a run, and the servers beside them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driver.machine.allocator import Allocator
from driver.machine.process_supervisor import ProcessSupervisor
from driver.machine.waiting import Waiter
from driver.problem import Problem
from driver.progress import Progress
from driver.session.bench import Answer, Bench
from driver.session.cells import Case, Cell, Malformed, read_hello
from driver.session.preset import Preset
from driver.session.protocol import quoted
from driver.session.server import Server

_SERVERS = {"origin": "origin server", "load": "load generator"}


class Processes:
    """Not restartable; end() leaves no process behind, whatever state it is in."""

    def __init__(
        self,
        programs: Mapping[str, Path],
        servers: Mapping[str, Path],
        cores: int,
        allocator: Allocator,
        preset: Preset,
        progress: Progress,
        waiter: Waiter,
    ) -> None:
        self.preset = preset
        self.progress = progress
        self.waiter = waiter
        self.begin_ns = time.monotonic_ns()  # since when the budget is spent
        # workload → model → one of its cells, of whatever list, as hello has it
        self.offered: dict[str, dict[str, dict[str, Any]]] = {}
        self._supervisor = ProcessSupervisor()
        self._servers = {name: Server(_SERVERS[name], path, self._supervisor, waiter) for name, path in servers.items()}
        self._cores = cores
        self._allocator = allocator
        self._benches = {name: Bench(path, [], self._supervisor, waiter, allocator) for name, path in programs.items()}
        self._once: dict[str, Bench] = {}  # of each model, for cells that want a process in which nothing ran before

    def open(self, size: str | None = None) -> tuple[list[dict[str, Any]], list[Cell]]:
        """Starts every process; their model events and the cells of those that speak, of all lists of sizes or of
        one."""
        self._start_servers()
        events, cells = [], []
        known: dict[tuple[str, str], Case] = {}
        for name, bench in self._benches.items():
            self.progress.tell(f"opening {name}")
            answer = bench.start(2 * self.preset.grace_ns)
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
                    status, reason = "failed", f"its hello does not conform to the protocol: {malformed}"
            if status not in ("ok", "unsupported"):
                status = "failed"
            hello = {key: value for key, value in answer.body.items() if key != "cells"} if status == "ok" else {}
            events.append({"event": "model", "model": name, "status": status, "reason": reason, "hello": hello})
            if status == "ok":
                events.append({"event": "start", "model": name})
        if not self.offered:
            raise Problem(
                "no model can be measured: "
                + "; ".join(f"{event['model']}: {event['reason'] or 'has no cells'}" for event in events[:3])
            )
        return events, cells

    def describe(self, model: str, workload: str, params: Mapping[str, int]) -> Answer:
        """What it says of a cell with these params. An outcome of usage: there is none, or it knows no such request."""
        self.waiter.check()
        self.progress.tell(f"asking {model} for {workload}")
        bench = self._benches[model]
        return (
            bench.describe(workload, params, 2 * self.preset.grace_ns)
            if bench.running
            else Answer("failed", "its process has ended")
        )

    def keep(self, events: list[dict[str, Any]], models: set[str]) -> list[dict[str, Any]]:
        """Ends the processes of all other models and leaves out their events, unless they say what went wrong."""
        for name in self._benches.keys() - models:
            self._benches[name].end()
        return [event for event in events if event["model"] in models or event.get("status", "ok") != "ok"]

    def add_aa_controls(self, models: Mapping[str, str], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Second processes of the same programs, opened when they are first asked; their model events. `models`:
        control → model."""
        for control, model in models.items():
            own = self._benches[model]
            self._benches[control] = Bench(own.program, own.arguments, self._supervisor, self.waiter, self._allocator)
        opened = {event["model"]: event for event in events if event["event"] == "model"}
        return [{**opened[model], "model": control, "twin_of": model} for control, model in models.items()]

    def running(self) -> dict[str, Bench]:
        """By model; without those that measure one sample only."""
        return {name: bench for name, bench in self._benches.items() if bench.running}

    def of(self, cell: Cell) -> Bench:
        """The process that measures the cell, which may have to be started."""
        own = self._benches[cell.model]
        if not cell.fresh_process:
            return own
        if cell.model not in self._once:
            self._once[cell.model] = Bench(own.program, own.arguments, self._supervisor, self.waiter, self._allocator)
        return self._once[cell.model]

    def renew(self, model: str) -> None:
        """Its process starts again when it is next asked."""
        self._benches[model].end(grace_s=1)

    def pids(self, cells: list[Cell]) -> list[int]:
        """Of all processes that take part when these cells are measured."""
        return [pid for cell in cells for pid in self.of(cell).pids] + [
            pid for server in self._servers.values() for pid in server.pids
        ]

    def restart_servers(self) -> None:
        """And all that talks to them, if one of them has died."""
        for server in self._servers.values():
            if server.died:
                self.progress.say(f"the {server.name} ended: the servers and all bench processes are started again")
                for bench in self._all_benches():
                    bench.end(grace_s=1)
                self._start_servers()

    def end(self) -> None:
        """Ends all of them."""
        self._supervisor.end_all(grace_s=1)

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


@contextmanager
def opened(
    programs: Mapping[str, Path],
    servers: Mapping[str, Path],
    cores: int,
    allocator: Allocator,
    preset: Preset,
    progress: Progress,
) -> Iterator[Processes]:
    """Hears signals while it lasts, and leaves no process behind."""
    with Waiter(progress.tick) as waiter:
        processes = Processes(programs, servers, cores, allocator, preset, progress, waiter)
        try:
            yield processes
        finally:
            processes.end()
            progress.end()

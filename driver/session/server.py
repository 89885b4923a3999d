"""The servers of the network workloads, shared by all models of a run: the HTTP origin and the load generator, metered
separately."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from driver.machine.process_supervisor import ProcessSupervisor
from driver.machine.waiting import Waiter
from driver.problem import Problem
from driver.refusal import refused

_PATIENCE_NS = 10_000_000_000


class Server:
    """A program that prints its URL and ends when its standard input does."""

    def __init__(self, name: str, program: Path, supervisor: ProcessSupervisor, waiter: Waiter) -> None:
        """`name`: what messages call it."""
        self.name = name
        self._program = program
        self._supervisor = supervisor
        self._waiter = waiter
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def died(self) -> bool:
        """It had been started."""
        return self._child is not None and self._child.poll() is not None

    @property
    def pids(self) -> list[int]:
        """None where it does not run."""
        return [self._child.pid] if self._child else []

    def start(self) -> str:
        """Its URL."""
        with tempfile.TemporaryFile() as errors:
            try:
                self._child = self._supervisor.start([str(self._program)], errors)
            except OSError as error:
                raise refused("start", f"the {self.name}: {self._program.name}", error) from None
            assert self._child.stdout is not None
            line = b""
            if self._waiter.readable(self._child.stdout.fileno(), time.monotonic_ns() + _PATIENCE_NS):
                line = os.read(self._child.stdout.fileno(), 4096)
            url = line.decode(errors="replace").strip()
            if re.fullmatch(r"http://[\w.\-\[\]:]+:\d+/?", url) is None:
                self.end()
                errors.seek(0)
                said = errors.read(4096).decode(errors="replace").strip().splitlines()
                raise Problem(f"the {self.name} printed no URL: {said[-1] if said else url or 'it said nothing'}")
            return url

    def end(self) -> None:
        """Leaves no process of it behind."""
        if self._child is not None:
            self._supervisor.end(self._child)
            self._child = None

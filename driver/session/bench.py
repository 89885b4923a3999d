"""One bench process and the --serve protocol (bench/README.md): every request gets an answer, whatever the process
does."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from driver.machine.allocator import Allocator
from driver.machine.process_supervisor import ProcessSupervisor
from driver.machine.waiting import Waiter
from driver.problem import Exit
from driver.session import protocol

PROTOCOL = 1
_LONGEST_LINE = 64 << 20
OUTCOMES = frozenset({"ok", "unsupported", "wrong", "crashed", "timed_out", "failed", "usage"})


@dataclass(frozen=True)
class Answer:
    """What became of a request; the body is the line as it came."""

    outcome: str
    reason: str = ""
    body: dict[str, Any] = field(default_factory=dict)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _shortened(line: bytes) -> str:
    text = line.decode(errors="replace").strip()
    return repr(text if len(text) <= 80 else text[:77] + "...")


class Bench:
    """A model's process. Restarted by the next start(); never shared between threads."""

    def __init__(
        self,
        program: Path,
        arguments: Sequence[str],
        supervisor: ProcessSupervisor,
        waiter: Waiter,
        allocator: Allocator,
    ) -> None:
        self.program = program
        self.arguments = list(arguments)
        self.worker_pids: list[int] = []
        self._supervisor = supervisor
        self._waiter = waiter
        self._allocator = allocator
        self._child: subprocess.Popen[bytes] | None = None
        self._pending = b""

    @property
    def running(self) -> bool:
        """It has been started, and has not ended as far as is known."""
        return self._child is not None

    @property
    def pids(self) -> list[int]:
        """Of the process and its workers; none where it does not run."""
        return [self._child.pid, *self.worker_pids] if self._child else []

    def start(self, patience_ns: int) -> Answer:
        """The answer's body is the hello. Unsupported: the process says that it cannot run here."""
        self.end()
        self._errors = tempfile.TemporaryFile()
        try:
            self._child = self._supervisor.start(
                [str(self.program), "--serve", *self.arguments], self._errors, self._allocator.environment
            )
        except OSError as error:
            self._errors.close()
            return Answer("failed", f"{self.program.name} does not start: {error.strerror}")
        self._pending = b""
        answer = self._receive(patience_ns, "hello")
        if answer.outcome != "ok":
            return answer
        if answer.body.get("protocol") != PROTOCOL:
            self.end()
            return Answer(
                "failed", f"{self.program.name} speaks protocol {answer.body.get('protocol')}, this driver {PROTOCOL}"
            )
        if not self._allocator.is_in(self._child.pid):
            return self._give_up(
                "failed",
                f"{self.program.name} runs without {self._allocator.library}, which the loader was told to put first",
            )
        workers = answer.body.get("worker_pids")
        self.worker_pids = [pid for pid in workers if isinstance(pid, int)] if isinstance(workers, list) else []
        return answer

    def describe(self, workload: str, params: Mapping[str, int], patience_ns: int) -> Answer:
        """As ask(), but an outcome of usage is an answer, too."""
        return self._exchange(
            {"do": "describe", "workload": workload, "params": dict(params)},
            patience_ns,
            ("ok", "unsupported", "usage"),
        )

    def ask(self, request: dict[str, Any], patience_ns: int) -> Answer:
        """An outcome other than ok has ended the process: its state is not to be trusted."""
        answer = self._exchange(request, patience_ns, ("ok",))
        return (
            answer
            if answer.outcome != "usage"
            else Answer("failed", f"did not understand the request: {answer.reason}")
        )

    def _exchange(self, request: dict[str, Any], patience_ns: int, fine: Sequence[str]) -> Answer:
        assert self._child is not None and self._child.stdin is not None and self._child.stdout is not None
        if not self._pending and self._has_output():
            self._pending = os.read(self._child.stdout.fileno(), 1 << 16)
        if self._pending:
            return self._give_up("failed", f"answered unasked: {_shortened(self._pending)}")
        try:
            os.write(self._child.stdin.fileno(), json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            return self._post_mortem()
        answer = self._receive(patience_ns, "outcome")
        if answer.outcome == "ok" and (fault := protocol.fault_of_answer(request["do"], answer.body)):
            answer = Answer("wrong", f"its answer does not conform to the protocol: {fault}")
        if answer.outcome not in fine:
            self.end()
        return answer

    def _has_output(self) -> bool:
        """By poll: select takes no descriptor from 1024 on."""
        assert self._child is not None and self._child.stdout is not None
        poll = select.poll()
        poll.register(self._child.stdout, select.POLLIN)
        return bool(poll.poll(0))

    def end(self, grace_s: float = 0) -> None:
        """Leaves no process of it behind. What is not gone after the grace is killed."""
        if self._child is not None:
            self._supervisor.end(self._child, grace_s)
            self._child = None
            self.worker_pids = []
            self._errors.close()

    def _receive(self, patience_ns: int, kind: str) -> Answer:
        line = self._read_line(time.monotonic_ns() + patience_ns)
        if line is None:
            assert self._child is not None
            if self._child.poll() is not None:  # its workers held its output open
                return self._post_mortem(kind)
            return self._give_up("timed_out", f"no answer within {patience_ns / 1e9:.1f} s")
        if not line.endswith(b"\n"):
            return (
                self._post_mortem(kind)
                if len(line) < _LONGEST_LINE
                else self._give_up("failed", "answered an endless line")
            )
        try:
            body = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return self._give_up("failed", f"answered what is not JSON: {_shortened(line)}")
        if not isinstance(body, dict):
            return self._give_up("failed", f"answered no object: {_shortened(line)}")
        if kind == "hello":
            return Answer("ok", "", body)
        outcome = body.get("outcome")
        if not isinstance(outcome, str) or outcome not in OUTCOMES:
            return self._give_up("failed", f"answered no outcome: {_shortened(line)}")
        reason = " ".join(str(body.get("reason", "")).split())
        return Answer(outcome, reason, body)

    def _read_line(self, deadline_ns: int) -> bytes | None:
        """None at the deadline; without a newline the process closed its output or the line has no end."""
        assert self._child is not None and self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        parts = [self._pending]
        self._pending = b""
        size = len(parts[0])
        while b"\n" not in parts[-1]:
            if not self._waiter.readable(descriptor, deadline_ns):
                return None
            part = os.read(descriptor, 1 << 16)
            size += len(part)
            parts.append(part)
            if not part or size >= _LONGEST_LINE:
                return b"".join(parts)
        line, newline, self._pending = b"".join(parts).partition(b"\n")
        return line + newline

    def _give_up(self, outcome: str, reason: str) -> Answer:
        last = self._last_words()
        self.end()
        return Answer(outcome, f"{reason}; it said: {last}" if last else reason)

    def _post_mortem(self, kind: str = "outcome") -> Answer:
        assert self._child is not None
        code = self._supervisor.wait(self._child, 1)
        if kind == "hello" and code == Exit.ENVIRONMENT:
            reason = self._last_words() or "cannot run here and does not say why"
            self.end()
            return Answer("unsupported", reason)
        if code is None:
            return self._give_up("crashed", "closed its output")
        if code < 0:
            known = {number.value: number.name for number in signal.Signals}
            return self._give_up("crashed", f"killed by {known.get(-code, f'signal {-code}')}")
        return self._give_up("crashed", f"ended with exit code {code}")

    def _last_words(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 4096))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else ""

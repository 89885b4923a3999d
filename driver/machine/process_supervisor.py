"""Starts child processes and ensures that none of their descendants outlives them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from driver.machine import environment
from driver.machine.inherited import act_as_usual

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None)


def _become_a_child() -> None:
    act_as_usual()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def children_of_this_process() -> set[int]:
    """At once, where the kernel keeps the list; one that changes meanwhile may miss some."""
    try:
        return {
            int(pid)
            for task in os.listdir("/proc/self/task")
            for pid in Path("/proc/self/task", task, "children").read_text().split()
        }
    except OSError:
        return children_of(os.getpid())


def children_of(parent: int) -> set[int]:
    """All, by a look at every process of the machine."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_text(errors="replace")
            except OSError:  # ended meanwhile
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.add(int(entry))
    return found


class ProcessSupervisor:
    """Children in sessions of their own, each with a folder for its temporary files, and all with one for files that
    they share: a child that is killed removes none itself.

    Orphans of theirs become ours (child subreaper) and are ended with them."""

    def __init__(self) -> None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._not_ours = children_of(os.getpid())
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._files: dict[int, tempfile.TemporaryDirectory[str]] = {}
        self._shared = tempfile.TemporaryDirectory(prefix="crossover-", ignore_cleanup_errors=True)

    def start(
        self, command: Sequence[str], errors: IO[bytes], more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """`more` adds to its environment. Standard input and output are unbuffered pipes; standard error goes to a
        file, so that it never blocks the child."""
        files = tempfile.TemporaryDirectory(prefix="crossover-", ignore_cleanup_errors=True)
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                start_new_session=True,
                preexec_fn=_become_a_child,
                env=environment.of_benches(
                    {"TMPDIR": files.name, "CROSSOVER_FILES": self._shared.name, **(more or {})}
                ),
            )
        except OSError:
            files.cleanup()
            raise
        self._children[child.pid] = child
        self._files[child.pid] = files
        return child

    def wait(self, child: subprocess.Popen[bytes], seconds: float) -> int | None:
        """Its exit code, negative for a signal; None when it still runs after that time."""
        if child.poll() is None:
            try:
                handle = os.pidfd_open(child.pid)
            except OSError:  # it has just ended, or the system has no such call
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(max(0, seconds))
                return child.poll()
            try:
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                poll.poll(max(0, round(seconds * 1000)))
            finally:
                os.close(handle)
        return child.poll()

    def end(self, child: subprocess.Popen[bytes], grace_s: float = 0) -> None:
        """Ends the child and everything that it started. With grace the end of its input is its chance to leave by
        itself."""
        self._finish(child, time.monotonic() + grace_s)
        self._end_orphans(children_of_this_process)
        self._remove_files_of_the_dead()

    def end_all(self, grace_s: float = 0) -> None:
        """The grace is one for all of them."""
        children = list(self._children.values())
        for child in children:
            assert child.stdin is not None
            child.stdin.close()
        until = time.monotonic() + grace_s
        for child in children:
            self._finish(child, until)
        self._end_orphans(lambda: children_of(os.getpid()))
        self._remove_files_of_the_dead()
        self._shared.cleanup()

    def _finish(self, child: subprocess.Popen[bytes], until: float) -> None:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.close()
        self.wait(child, until - time.monotonic())
        child.stdout.close()
        try:
            # Its process group outlives it where workers do; while one does, the id of the leader is not given to
            # another.
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        child.wait()
        self._children.pop(child.pid, None)

    def _remove_files_of_the_dead(self) -> None:
        for pid in self._files.keys() - self._children.keys():
            self._files.pop(pid).cleanup()

    def _end_orphans(self, children: Callable[[], set[int]]) -> None:
        """An orphan's death hands us its own children, hence the loop."""
        while orphans := children() - self._children.keys() - self._not_ours:
            for pid in orphans:
                try:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                except (ProcessLookupError, ChildProcessError):
                    pass

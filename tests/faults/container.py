"""Runs a command as container engines do by default, without one: their filter of system calls, capabilities and
limits.

usage: container.py [--user ID] [--memory BYTES] [--pids COUNT] COMMAND...    needs root; --user: the command runs as
that user
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

_BENCHES = Path(
    os.environ.get("CROSSOVER_BENCHES", Path(__file__).resolve().parents[2] / "build" / "release" / "bench")
)
_WITHHOLD = _BENCHES.parent / "tests" / "withhold"
SHM = "64m"  # the size of /dev/shm
MEMORY = 4 << 30
PIDS = 2048

# What the engines keep of root's capabilities: from chown (0) to setpcap (8), then the others by number.
_KEPT = {*range(0, 2), 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}

# What is left of their filter once those are gone: the rest needs capabilities. Of clone3 it says that there is no such
# call, for its flags lie in memory, where no filter sees them.
_REFUSED = "io_uring_setup,io_uring_enter,io_uring_register,perf_event_open"
_UNKNOWN = "clone3"

_PR_CAPBSET_DROP = 24
_CLONE_NEWNS = 0x00020000
_MS_PRIVATE = 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def reason_missing() -> str:
    """Why nothing can be run here in this way; empty if it can."""
    if os.geteuid() != 0:
        return "limits and mounts of its own need root"
    if not _WITHHOLD.is_file():
        return f"{_WITHHOLD} is not built: scripts/test builds it"
    try:
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "unchanged", "true"], capture_output=True, text=True
        )
    except OSError as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""


def _enter(user: int | None) -> None:
    if _libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():  # one by one: / is no mount in a changed root
        _libc.mount(
            None, line.split(" ")[4].encode().decode("unicode_escape").encode("latin-1"), None, _MS_PRIVATE, None
        )
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SHM},mode=1777", "shm", "/dev/shm"], check=True)
    for capability in range(64):
        if capability not in _KEPT:
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that this kernel does not have
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


class _Group:
    """A control group with both limits, where this system's groups can be written: of version 1 or 2."""

    def __init__(self, memory: int, pids: int):
        root, name = Path("/sys/fs/cgroup"), f"container-{os.getpid()}"
        if (root / "cgroup.controllers").exists():
            limits = {root / name: {"memory.max": memory, "pids.max": pids}}
        else:
            limits = {
                root / "memory" / name: {"memory.limit_in_bytes": memory},
                root / "pids" / name: {"pids.max": pids},
            }
        self.folders: list[Path] = []
        for folder, files in limits.items():
            try:
                folder.mkdir()
                self.folders.append(folder)
                for file, limit in files.items():
                    (folder / file).write_text(str(limit))
            except OSError as error:
                print(f"container: no limit by {folder}: {error.strerror}", file=sys.stderr)

    def take(self, pid: int) -> None:
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def remove(self) -> None:
        for folder in self.folders:
            try:
                folder.rmdir()
            except OSError as error:  # something was left behind in it
                print(f"container: {folder}: {error.strerror}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="container.py")
    parser.add_argument("--user", type=int)
    parser.add_argument("--memory", type=int, default=MEMORY)
    parser.add_argument("--pids", type=int, default=PIDS)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if reason := reason_missing():
        print(f"container: {reason}", file=sys.stderr)
        return 3
    group = _Group(given.memory, given.pids)
    child = os.fork()
    if child == 0:
        group.take(os.getpid())
        _enter(given.user)
        os.execv(_WITHHOLD, ["withhold", "EPERM", _REFUSED, _WITHHOLD, "ENOSYS", _UNKNOWN, *given.command])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, frame: os.kill(child, got))
    _, status = os.waitpid(child, 0)
    group.remove()
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())

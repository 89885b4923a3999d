"""What the system's limits allow this process and its children: memory, threads and processes. As
runtimes/system/limits/allowance.cpp; the CPython models ship this file."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from driver.machine import cgroup

_SYS_ADMIN, _SYS_RESOURCE = 1 << 21, 1 << 24


class Allowance(NamedTuple):
    """A limit of the system, and how much of it is in use."""

    name: str  # as its reader knows it: a file, or the ulimit that sets it
    limit: int
    used: int

    @property
    def left(self) -> int:
        """How much may still be taken."""
        return max(0, self.limit - self.used)

    @property
    def spare(self) -> int:
        """Half of it, because others live here, too; less where more than half is in use."""
        return min(self.limit // 2, self.left)


def waits_within_limits(usual: int, bytes_of_one: int, threads_of_one: int = 0) -> tuple[int, str]:
    """How many items can surely wait at once, at most as many as usual, and the limit that sets it, in words."""
    most, why = usual, ""
    for found, of_one in ((tightest_memory(), bytes_of_one), (tightest_tasks(), threads_of_one)):
        if found is not None and of_one and found.spare // of_one < most:
            most, why = (
                found.spare // of_one,
                f"{found.name} is {found.limit}, {found.used} in use, and each takes {of_one}",
            )
    return max(1, most), why


def tightest_memory(root: Path = cgroup.ROOT) -> Allowance | None:
    """In bytes."""
    return _tightest(_memory(root))


def tightest_tasks(root: Path = cgroup.ROOT) -> Allowance | None:
    """Threads and processes, which the kernel counts alike."""
    return _tightest(_tasks(root))


def _tightest(among: Iterator[Allowance]) -> Allowance | None:
    found = list(among)
    return min(found, key=lambda one: one.spare) if found else None


def _memory(root: Path) -> Iterator[Allowance]:
    known = {
        line[0].rstrip(":"): int(line[1]) << 10
        for line in map(str.split, cgroup.text_of(root / "proc/meminfo").splitlines())
        if len(line) > 1 and line[1].isdigit()
    }
    if "MemTotal" in known:
        yield Allowance("memory of the machine", known["MemTotal"], known["MemTotal"] - known.get("MemAvailable", 0))
    for limit in cgroup.memory_limits(root):
        yield Allowance(str(limit.file), limit.limit, limit.used)


def _tasks(root: Path) -> Iterator[Allowance]:
    # 0.20 0.18 0.12 1/80 11206
    threads = (cgroup.text_of(root / "proc/loadavg").split() + [""] * 4)[3].partition("/")[2]
    for name in ("kernel.threads-max", "kernel.pid_max"):
        limit = cgroup.text_of(root / "proc/sys" / name.replace(".", "/")).strip()
        if limit.isdigit():
            yield Allowance(name, int(limit), int(threads) if threads.isdigit() else 0)
    for group in cgroup.task_limits(root):
        yield Allowance(str(group.file), group.limit, group.used)
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft != resource.RLIM_INFINITY and _nproc_binds():
        yield Allowance("processes and threads (ulimit -u)", soft, _threads_of_this_user())


def _nproc_binds() -> bool:
    """The kernel lets root of the machine, and whoever has the capability there, have as many as they like."""
    of_the_machine = cgroup.text_of(Path("/proc/self/uid_map")).split() == ["0", "0", "4294967295"]
    status = dict(line.partition(":")[::2] for line in cgroup.text_of(Path("/proc/self/status")).splitlines())
    capabilities = int(status.get("CapEff", "0").strip() or "0", 16)
    return not of_the_machine or (os.getuid() != 0 and not capabilities & (_SYS_ADMIN | _SYS_RESOURCE))


def _threads_of_this_user() -> int:
    """A process is a folder of its user's, and its folder of threads has a link for each, and two more."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                seen = os.stat(f"/proc/{entry}/task")
            except OSError:  # ended meanwhile
                continue
            count += max(0, seen.st_nlink - 2) if seen.st_uid == os.getuid() else 0
    return count

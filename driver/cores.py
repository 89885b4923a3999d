"""How many cores a run may use: worked out once, by the driver, which hands it to every bench. The CPython models have this file with them, for when they are started by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Quota(NamedTuple):
    """CPU time in microseconds that a cgroup has in each period."""

    quota_us: int
    period_us: int

    @property
    def cores(self) -> int:
        return -(-self.quota_us // self.period_us)


def usable_cores() -> int:
    """What the affinity mask and the tightest CPU quota leave, rounded up: at least one."""
    here, quota = len(os.sched_getaffinity(0)), tightest_quota()
    return here if quota is None else min(here, quota.cores)


def tightest_quota(proc: Path = Path("/proc/self"), cgroups: Path = Path("/sys/fs/cgroup")) -> Quota | None:
    """Of the cgroup of this process and all around it, of both versions. The folders are those of the system but for tests."""
    quotas = list(_quotas(proc, cgroups))
    return min(quotas, key=lambda quota: quota.quota_us / quota.period_us) if quotas else None


def _quotas(proc: Path, cgroups: Path) -> Iterator[Quota]:
    for line in _text(proc / "cgroup").splitlines():  # "4:cpu,cpuacct:/a/b", "0::/a/b"
        if line.count(":") < 2:
            continue
        _, controllers, place = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            group = PurePosixPath(place.lstrip("/"))
            for around in (group, *group.parents):
                if (found := _quota_in(cgroups / controllers / around)) is not None:
                    yield found


def _quota_in(folder: Path) -> Quota | None:
    """None where it says "max", -1 or whatever else is no number."""
    words = _text(folder / "cpu.max").split()[:2]
    if len(words) < 2:
        words = [word for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us") for word in _text(folder / name).split()[:1]]
    numbers = [int(word) if word.isdigit() else 0 for word in words]
    return Quota(*numbers) if len(numbers) == 2 and all(numbers) else None


def _text(file: Path) -> str:
    """Empty where it cannot be read; what is not ASCII is in no number."""
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""

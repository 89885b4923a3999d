"""How many cores a run may use: determined once by the driver, which passes it to every bench. The CPython models ship
this file for when they are started by hand."""

from __future__ import annotations

import os

from driver.machine.cgroup import tightest_quota


def usable_cores() -> int:
    """What the affinity mask and the tightest CPU quota leave, rounded up: at least one."""
    here, quota = len(affinity()), tightest_quota()
    return here if quota is None else min(here, quota.cores)


def affinity() -> set[int]:
    """The CPUs of the mask; all that are there, where a filter keeps the mask from us."""
    try:
        return os.sched_getaffinity(0)
    except OSError:
        return set(range(os.cpu_count() or 1))

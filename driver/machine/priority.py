"""Whether the scheduler prefers other processes: children inherit the settings of nice and chrt."""

from __future__ import annotations

import os

_POLICIES = {os.SCHED_IDLE: "the idle scheduler", os.SCHED_BATCH: "the batch scheduler"}


def lowered() -> str:
    """By what, in words; empty where it is as usual."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        policy = _POLICIES.get(os.sched_getscheduler(0), "")
    except OSError:
        policy = ""
    return " and ".join(part for part in (policy, f"nice {nice}" if nice > 0 else "") if part)

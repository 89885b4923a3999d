"""The outside signals of noise: whose CPU time passed during a visit, stolen and throttled time, pressure."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from driver.machine import cgroup
from driver.machine.neighbours import Presence
from driver.machine.priority import lowered

NOISY_BACKGROUND_SHARE = 0.25
NOISY_STEAL_SHARE = 0.02
NOISY_STALL_SHARE = 0.1
GRADES = ((0.1, "A"), (0.25, "B"), (0.5, "C"), (1.0, "D"))  # up to which share of disturbed visits
_WINDOW_NS = 500_000_000
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> int:
    """Nanoseconds of all threads of a live process, exact where /proc has ticks of 10 ms; 0 when it is gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)  # the clock id that clock_getcpuclockid(3) makes
    except OSError:
        return 0


def memory_stall_ns() -> int | None:
    """Time since boot in which some task waited for memory."""
    return _pressure("memory")


def pressure_ns() -> int | None:
    """Time since boot in which some task waited for a core. No sign of background load: a pool wider than the cores
    waits for itself."""
    return _pressure("cpu")


def _pressure(of: str) -> int | None:
    try:
        with open(f"/proc/pressure/{of}", "rb") as file:
            return int(file.read().split(b"total=")[1].split()[0]) * 1000
    except (OSError, IndexError, ValueError):
        return None


def throttled_ns() -> int | None:
    """Time in which this cgroup, or one around it, was held back by its quota; None where nobody counts it."""
    counts = [count for file in _cpu_stats() if (count := cgroup.throttled_ns(file)) is not None]
    return sum(counts) if counts else None


@lru_cache(maxsize=1)
def _cpu_stats() -> list[Path]:
    """Found once: they are read with every visit."""
    return [
        folder / "cpu.stat" for folder in cgroup.folders("cpu") if cgroup.throttled_ns(folder / "cpu.stat") is not None
    ]


@dataclass(frozen=True)
class Instant:
    """One look at the machine and at our own processes."""

    at_ns: int
    busy_ns: int
    steal_ns: int
    cores: int
    throttled_ns: int | None
    memory_stall_ns: int | None
    own_ns: dict[int, int]

    @classmethod
    def now(cls, pids: Iterable[int]) -> Instant:
        """The counters as they stand, in ns, with the CPU time of those processes and of this one."""
        own = {pid: cpu_of(pid) for pid in pids}
        own[0] = time.process_time_ns()
        with open("/proc/stat", "rb") as file:
            lines = file.read().split(b"\nintr", 1)[0].splitlines()
        user, nice, system, _idle, _iowait, irq, softirq, steal = (int(ticks) for ticks in lines[0].split()[1:9])
        busy = (user + nice + system + irq + softirq) * _TICK_NS
        return cls(time.monotonic_ns(), busy, steal * _TICK_NS, len(lines) - 1, throttled_ns(), memory_stall_ns(), own)


@dataclass(frozen=True)
class Spent:
    """What went by between two instants."""

    wall_ns: int
    cores_ns: int  # that all cores had
    background_ns: int
    steal_ns: int
    throttled_ns: int | None
    memory_stall_ns: int | None


def spent(before: Instant, after: Instant, claimed_ns: int) -> Spent:
    """`claimed_ns`: what the samples say they used, for processes that were born and gone meanwhile."""
    wall = after.at_ns - before.at_ns
    models = sum(max(0, used - before.own_ns.get(pid, 0)) for pid, used in after.own_ns.items() if pid)
    own = max(models, claimed_ns) + after.own_ns[0] - before.own_ns[0]
    return Spent(
        wall,
        wall * after.cores,
        after.busy_ns - before.busy_ns - own,
        after.steal_ns - before.steal_ns,
        _since(before.throttled_ns, after.throttled_ns),
        _since(before.memory_stall_ns, after.memory_stall_ns),
    )


class VisitJudge:
    """Judges visits by what went on outside of them. The kernel counts in ticks of 10 ms, so a short visit is judged
    together with those right before it."""

    def __init__(self) -> None:
        self._recent: deque[Spent] = deque()

    def judge(self, visit: Spent) -> dict[str, Any]:
        """The signals of the visit, and whether any says that it was disturbed."""
        self._recent.append(visit)
        while (
            len(self._recent) > 1
            and sum(other.wall_ns for other in self._recent) - self._recent[0].wall_ns >= _WINDOW_NS
        ):
            self._recent.popleft()
        cores_ns = sum(other.cores_ns for other in self._recent)
        background = _share(sum(other.background_ns for other in self._recent), cores_ns)
        steal = _share(sum(other.steal_ns for other in self._recent), cores_ns)
        stall = None if visit.memory_stall_ns is None else _share(visit.memory_stall_ns, visit.wall_ns)
        judged = (
            (background, NOISY_BACKGROUND_SHARE),
            (steal, NOISY_STEAL_SHARE),
            (visit.throttled_ns, 0),
            (stall, NOISY_STALL_SHARE),
        )
        return {
            "wall_ns": visit.wall_ns,
            "foreign_share": background,
            "steal_share": steal,
            "throttled_ns": visit.throttled_ns,
            "memory_stall_share": stall,
            "noisy": any(value is not None and value > limit for value, limit in judged),
        }


def _share(part_ns: int, whole_ns: int) -> float | None:
    return round(min(1.0, max(0.0, part_ns / whole_ns)), 4) if whole_ns > 0 else None


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 4) if known else None


def _since(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


class Watch:
    """The machine's and the driver's own share from now on."""

    def __init__(self) -> None:
        self._presence = Presence("run")
        self._load = os.getloadavg()[0]
        self._pressure_ns = pressure_ns()
        self._throttled_ns = throttled_ns()
        self._cpu_ns = time.process_time_ns()
        self._at_ns = time.monotonic_ns()

    def report(self, visits: Sequence[dict[str, Any]], warnings: Sequence[str] = ()) -> dict[str, Any]:
        """`warnings`: of what else was seen."""
        cpu_ns = time.process_time_ns() - self._cpu_ns
        background = _middle(visit["foreign_share"] for visit in visits)
        steal = _middle(visit["steal_share"] for visit in visits)
        throttled = _since(self._throttled_ns, throttled_ns())
        warnings = [*self._presence.warnings(), *warnings]
        if background is not None and background > NOISY_BACKGROUND_SHARE:
            warnings.append(
                f"other programs used {background:.0%} of the machine: differences must be large to be seen"
            )
        if steal is not None and steal > NOISY_STEAL_SHARE:
            warnings.append(f"the hypervisor withheld {steal:.0%} of the machine")
        if throttled:
            warnings.append(f"the cgroup's CPU quota held us back for {throttled / 1e9:.1f} s")
        if priority := lowered():
            warnings.append(f"this run was started with {priority}: whatever else ran went first")
        noisy = sum(bool(visit.get("noisy")) for visit in visits) / len(visits) if visits else None
        return {
            "load_start": self._load,
            "load_end": os.getloadavg()[0],
            "psi_cpu_start_ns": self._pressure_ns,
            "psi_cpu_end_ns": pressure_ns(),
            "throttled_ns": throttled,
            "foreign_share": background,
            "steal_share": steal,
            "noisy_share": None if noisy is None else round(noisy, 4),
            "grade": None if noisy is None else next(grade for most, grade in GRADES if noisy <= most),
            "driver_cpu_ns": cpu_ns,
            "driver_cpu_share": round(cpu_ns / max(1, time.monotonic_ns() - self._at_ns), 5),
            "warnings": warnings,
        }

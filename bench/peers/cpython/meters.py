"""CPU time, switches, faults and memory of this process and its live workers, as the C++ benches meter them."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    cpu_ns: int
    system_ns: int  # of it
    voluntary_switches: int
    involuntary_switches: int
    minor_faults: int
    major_faults: int

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, earlier: Usage) -> Usage:
        return Usage(*(max(0, mine - theirs) for mine, theirs in zip(astuple(self), astuple(earlier), strict=True)))


def usage(workers: Sequence[int]) -> Usage:
    used = resource.getrusage(resource.RUSAGE_SELF)
    own = Usage(
        round((used.ru_utime + used.ru_stime) * 1e9),
        round(used.ru_stime * 1e9),
        used.ru_nvcsw,
        used.ru_nivcsw,
        used.ru_minflt,
        used.ru_majflt,
    )
    return sum(map(_of_worker, workers), own)


def _of_worker(pid: int) -> Usage:
    """The CPU time is exact, the system's part of it as coarse as the kernel's ticks."""
    cpu_ns = time.clock_gettime_ns((~pid << 3) | 2)  # the clock id that clock_getcpuclockid(3) makes
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b") ")[2].split()
    voluntary, involuntary = _lines(f"/proc/{pid}/status", ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"))
    return Usage(cpu_ns, int(fields[12]) * _TICK_NS, voluntary, involuntary, int(fields[7]), int(fields[9]))


@dataclass(frozen=True)
class Footprint:
    peak_rss: int
    pss: int


def forget_peaks(workers: Sequence[int]) -> None:
    for pid in (os.getpid(), *workers):
        with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


def footprint(workers: Sequence[int]) -> Footprint:
    """Without the pages of files: program code."""
    peak = pss = 0
    for pid in (os.getpid(), *workers):
        highest, of_files = _lines(f"/proc/{pid}/status", ("VmHWM", "RssFile"))
        peak += max(0, highest - of_files) * 1024
        pss += sum(_lines(f"/proc/{pid}/smaps_rollup", ("Pss_Anon", "Pss_Shmem"))) * 1024
    return Footprint(peak, pss)


def above(empty: Footprint, now: Footprint, processes: int) -> Footprint:
    """What is held beyond what one process held before it had a model."""
    return Footprint(max(0, now.peak_rss - processes * empty.peak_rss), max(0, now.pss - empty.pss))


def _lines(path: str, keys: Sequence[str]) -> list[int]:
    with open(path, encoding="ascii", errors="replace") as file:
        found = {name: rest for line in file for name, _, rest in (line.partition(":"),) if name in keys}
    return [int(found[key].split()[0]) if key in found else 0 for key in keys]

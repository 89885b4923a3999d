"""The limits of this process's cgroup and all its ancestors, in both versions of cgroups. The CPython models ship this
file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BEYOND_ALL_MEMORY = 1 << 62  # as version 1 writes that there is no limit
ROOT = Path("/")  # the functions take another one for tests: /proc/self and the mount points are looked for below it


class Quota(NamedTuple):
    """CPU time in microseconds that a cgroup has in each period."""

    quota_us: int
    period_us: int

    @property
    def cores(self) -> int:
        """How many cores it is worth, rounded up."""
        return -(-self.quota_us // self.period_us)


class Limit(NamedTuple):
    """A limit that a cgroup sets."""

    file: Path  # where it stands
    limit: int
    used: int  # by all of that group


class _Mount(NamedTuple):
    """Some folder of a hierarchy, and where it can be seen."""

    shown: str
    point: str
    kind: str  # cgroup or cgroup2
    options: list[str]  # of version 1: its controllers among others


def tightest_quota(root: Path = ROOT) -> Quota | None:
    """The quota that allows the least CPU time, of this cgroup and those above it; None without one."""
    quotas = [quota for folder in folders("cpu", root) if (quota := _quota_in(folder)) is not None]
    return min(quotas, key=lambda quota: quota.quota_us / quota.period_us) if quotas else None


def memory_limits(root: Path = ROOT) -> list[Limit]:
    """In bytes; the pages of files, which the kernel can drop, are not counted as used."""
    limits = []
    for folder in folders("memory", root):
        stat = _numbers(folder / "memory.stat")
        used = _memory_in_use(folder, stat)
        limits += _limits(folder, ("memory.max", "memory.high", "memory.limit_in_bytes"), used)
        if tightest := stat.get("hierarchical_memory_limit"):  # also of groups around that are not mounted here
            limits.append(Limit(folder / "memory.stat", tightest, used))
    return limits


def task_limits(root: Path = ROOT) -> list[Limit]:
    """Threads and processes."""
    return [
        limit
        for folder in folders("pids", root)
        for limit in _limits(folder, ("pids.max",), _number(folder / "pids.current") or 0)
    ]


def throttled_ns(cpu_stat: Path) -> int | None:
    """Time in which the group of that file was held back by its quota; None where it is not counted."""
    stat = _numbers(cpu_stat)
    return stat["throttled_usec"] * 1000 if "throttled_usec" in stat else stat.get("throttled_time")


def cpuset(root: Path = ROOT) -> str | None:
    """The CPUs of the own group, as the kernel lists them."""
    for folder in folders("cpuset", root):
        for name in ("cpuset.cpus.effective", "cpuset.effective_cpus"):
            if cpus := text_of(folder / name).strip():
                return cpus
    return None


def folders(controller: str, root: Path = ROOT) -> list[Path]:
    """Those in which limits may stand: the own group's, then those around it as far as they are mounted. Some may not
    exist."""
    found: list[Path] = []
    mounts = list(_mounts(root))
    for line in text_of(root / "proc/self/cgroup").splitlines():  # "4:cpu,cpuacct:/a/b", "0::/a/b"
        if line.count(":") < 2:
            continue
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        here = [mount for mount in mounts if (controller in mount.options if controllers else mount.kind == "cgroup2")]
        seen = [mount for mount in here if _below(root, mount.point).is_dir()]  # others are hidden by a later mount
        for mount in seen:
            if (way := _way_down(_names(mount.shown), _names(group))) is not None:
                found += _upwards(_below(root, mount.point), way)
        place = root / "sys/fs/cgroup" / controllers
        # for what lies at the usual place without a mount of its own
        if place not in [_below(root, mount.point) for mount in seen] and ".." not in _names(group):
            found += _upwards(place, _names(group))
    return found


def _mounts(root: Path) -> Iterator[_Mount]:
    """31 23 0:28 /a /sys/fs/cgroup/cpu rw,relatime shared:5 - cgroup cgroup rw,cpu"""
    for line in text_of(root / "proc/self/mountinfo").splitlines():
        fields = line.split(" ")
        if len(fields) >= 7 and "-" in fields:
            after = fields[fields.index("-") + 1 :]
            if len(after) >= 3 and after[0].startswith("cgroup"):
                yield _Mount(_unescaped(fields[3]), _unescaped(fields[4]), after[0], after[2].split(","))


def _unescaped(text: str) -> str:
    """mountinfo writes a space as \\040."""
    plain = re.sub(rb"\\([0-3][0-7]{2})", lambda code: bytes([int(code[1], 8)]), os.fsencode(text))
    return os.fsdecode(plain)


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]


def _below(root: Path, path: str) -> Path:
    return root.joinpath(*_names(path))


def _way_down(shown: list[str], group: list[str]) -> list[str] | None:
    """From the folder that a mount shows to our group; None if our group does not lie in it."""
    common = len(os.path.commonprefix([shown, group]))
    above, way = shown[common:], group[common:]
    if above:  # "/.." shows a group around the cgroup namespace: what lies in between is not told
        return [] if set(above) == {".."} else None
    return None if ".." in way else way


def _upwards(top: Path, way: list[str]) -> list[Path]:
    return [top.joinpath(*way[:depth]) for depth in range(len(way), -1, -1)]


def _memory_in_use(folder: Path, stat: dict[str, int]) -> int:
    """Without the pages of files. Where groups lie in each other version 1 has the sums under names of their own."""
    now, prefix = _number(folder / "memory.current"), ""
    if now is None:
        now, prefix = _number(folder / "memory.usage_in_bytes") or 0, "total_"
    return max(0, now - stat.get(f"{prefix}inactive_file", 0) - stat.get(f"{prefix}active_file", 0))


def _limits(folder: Path, names: tuple[str, ...], used: int) -> list[Limit]:
    limits = [(folder / name, _number(folder / name)) for name in names]
    return [Limit(file, limit, used) for file, limit in limits if limit is not None and limit < _BEYOND_ALL_MEMORY]


def _quota_in(folder: Path) -> Quota | None:
    """None where it says "max", -1 or whatever else is no number."""
    words = text_of(folder / "cpu.max").split()[:2]
    if len(words) < 2:
        words = [
            word for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us") for word in text_of(folder / name).split()[:1]
        ]
    numbers = [int(word) if _is_number(word) else 0 for word in words]
    return Quota(*numbers) if len(numbers) == 2 and all(numbers) else None


def _number(file: Path) -> int | None:
    """None for "max"."""
    words = text_of(file).split()
    return int(words[0]) if words and _is_number(words[0]) else None


def _numbers(file: Path) -> dict[str, int]:
    """Of lines "key number"."""
    lines = (line.split() for line in text_of(file).splitlines())
    return {line[0]: int(line[1]) for line in lines if len(line) == 2 and _is_number(line[1])}


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit()


def text_of(file: Path) -> str:
    """Empty where it cannot be read. A name of a group is any bytes."""
    try:
        return os.fsdecode(file.read_bytes())
    except OSError:
        return ""

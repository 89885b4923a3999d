"""Where a run was measured and what: machine, settings, source. Unknown values are null."""

from __future__ import annotations

import hashlib
import os
import platform
import resource
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driver.machine import cgroup, environment, git
from driver.machine.cgroup import tightest_quota
from driver.machine.cores import affinity, usable_cores
from driver.machine.priority import lowered
from driver.problem import Exit, Problem

_ADDR_NO_RANDOMIZE = 0x0040000
ROOT = Path(__file__).resolve().parents[2]


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _number(path: str) -> int | None:
    text = _text(path)
    return int(text) if text and text.lstrip("-").isdigit() else None


def _randomisation() -> str | None:
    """ "0": none, of the machine or, as after setarch -R, of this process and its children."""
    personality = _text("/proc/self/personality") or "0"
    return "0" if int(personality, 16) & _ADDR_NO_RANDOMIZE else _text("/proc/sys/kernel/randomize_va_space")


def source() -> dict[str, Any]:
    """Nothing is known of a tree that is not, or not yet, under version control, even where it lies in somebody else's
    repository."""
    top = git.ask(ROOT, "rev-parse", "--show-toplevel")
    if top.text != str(ROOT):
        return {
            "git_sha": None,
            "dirty": None,
            "describe": None,
            "reason": top.fault or f"belongs to another repository: {top.text}",
        }
    head, changes = git.ask(ROOT, "rev-parse", "HEAD"), git.ask(ROOT, "status", "--porcelain", "--untracked-files=no")
    return {
        "git_sha": head.text or None,
        "dirty": None if changes.fault else bool(changes.text),
        "describe": git.ask(ROOT, "describe", "--always", "--dirty").text or None,
        "reason": head.fault or changes.fault,
    }


def _cpu() -> dict[str, str]:
    first = (_text("/proc/cpuinfo") or "").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _cpu_model() -> str | None:
    """By its name on x86 and POWER; Arm's kernels tell the numbers of maker and part."""
    cpu = _cpu()
    numbers = [f"{key} {cpu[f'CPU {key}']}" for key in ("implementer", "part") if f"CPU {key}" in cpu]
    return cpu.get("model name") or cpu.get("cpu") or (f"Arm {', '.join(numbers)}" if numbers else None)


def _physical_cores() -> int | None:
    cores = set()
    for topology in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology"):
        cores.add((_text(f"{topology}/physical_package_id"), _text(f"{topology}/core_id")))
    return len(cores) or None


def _caches() -> dict[str, str]:
    caches = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = {"Data": "d", "Instruction": "i"}.get(_text(f"{cache}/type") or "", "")
        caches[f"L{_text(f'{cache}/level')}{kind}"] = _text(f"{cache}/size") or "unknown"
    return caches


def _virtualization() -> str | None:
    try:
        found = subprocess.run(
            ["systemd-detect-virt", "--vm"], env=environment.of_tools(), capture_output=True, text=True, check=False
        ).stdout.strip()
    except OSError:
        return "unknown hypervisor" if "hypervisor" in _cpu().get("flags", "").split() else "none"
    return found or None


def _os_name() -> str | None:
    for line in (_text("/etc/os-release") or "").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return None


def _hash(name: bytes) -> str:
    return hashlib.sha256(name).hexdigest()[:12]


def _hash_of_file(path: str) -> str | None:
    text = _text(path)
    return _hash(os.fsencode(text)) if text else None


def host() -> dict[str, Any]:
    """The machine, as run.json has it: what does not change while it runs."""
    smt = _text("/sys/devices/system/cpu/smt/active")
    nodes = len(list(Path("/sys/devices/system/node").glob("node[0-9]*")))
    container = any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv", "/run/systemd/container"))
    return {
        "os": _os_name(),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "cpu_model": _cpu_model(),
        "logical_cores": os.cpu_count() or 1,
        "physical_cores": _physical_cores(),
        "smt": None if smt is None else smt == "1",
        "caches": _caches(),
        "numa_nodes": nodes or None,
        "mem_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "virtualization": _virtualization(),
        "container": container,
        # Enough to see that two runs are of one machine; names do not leave it. In a container the id is that of its
        # image, but the boot is the machine's.
        "hostname_hash": _hash(os.fsencode(platform.node())),
        "machine_id_hash": None if container else _hash_of_file("/etc/machine-id"),
        "boot_id_hash": _hash_of_file("/proc/sys/kernel/random/boot_id"),
        "python": platform.python_version(),
    }


def _cpu_max() -> str | None:
    """The tightest quota, and its period, in microseconds, as version 2 writes them."""
    quota = tightest_quota()
    return None if quota is None else f"{quota.quota_us} {quota.period_us}"


def _tightest(limits: Sequence[cgroup.Limit]) -> str | None:
    """Of this group and all around it."""
    return str(min(found.limit for found in limits)) if limits else None


def _turbo() -> bool | None:
    no_turbo = _text("/sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = _text("/sys/devices/system/cpu/cpufreq/boost")
    if no_turbo is not None:
        return no_turbo == "0"
    return None if boost is None else boost == "1"


def _chosen(path: str) -> str | None:
    """The word in brackets, as sysfs marks the choice."""
    text = _text(path) or ""
    return text[text.find("[") + 1 : text.find("]")] if "[" in text else text or None


def settings() -> dict[str, Any]:
    """Its settings, as run.json has them: what may be another from run to run."""
    return {
        "affinity": sorted(affinity()),
        "cgroup": {
            "version": (
                2
                if Path("/sys/fs/cgroup/cgroup.controllers").exists()
                else 1
                if Path("/sys/fs/cgroup/cpu").exists()
                else None
            ),
            "cpu_max": _cpu_max(),
            "cpuset": cgroup.cpuset(),
            "memory_max": _tightest(cgroup.memory_limits()),
            "pids_max": _tightest(cgroup.task_limits()),
        },
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "turbo": _turbo(),
        "aslr": _randomisation(),
        "thp": _chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
        "clock_source": _text("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "clock_resolution_ns": round(time.clock_getres(time.CLOCK_MONOTONIC) * 1e9),
        "perf_event_paranoid": _text("/proc/sys/kernel/perf_event_paranoid"),
        "nofile": list(resource.getrlimit(resource.RLIMIT_NOFILE)),
        "priority": lowered() or "normal",
        "timer_slack_ns": _number("/proc/self/timerslack_ns"),
        "env": environment.telling(),
    }


def local_ports() -> int | None:
    """How many a client has to choose from."""
    limits = (_text("/proc/sys/net/ipv4/ip_local_port_range") or "").split()
    return int(limits[1]) - int(limits[0]) + 1 if len(limits) == 2 else None


def cores_of_run(asked: int | None) -> int:
    """As many as were asked for, or all."""
    usable = usable_cores()
    if asked is not None and not 1 <= asked <= usable:
        raise Problem(f"--cores {asked}: this process may use 1 to {usable}", Exit.USAGE)
    return asked or usable

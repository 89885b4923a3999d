"""`crossover doctor`: is this machine fit to measure on, and how small a difference can it show?"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from driver import build, host, probe
from driver.cores import usable_cores
from driver.pace import FULL, QUICK
from driver.problem import Exit, Problem

_MODULES = ("numpy", "scipy", "matplotlib", "jinja2", "jsonschema")
_GOOD_CLOCKS = ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page")
_LEAST_DESCRIPTORS = 4096
_LEAST_PORTS = 16_000
_LEAST_MEMORY = 1 << 30
_LEAST_THREADS = 12_000


@dataclass(frozen=True)
class Finding:
    name: str
    value: str
    remedy: str = ""  # empty: all is well
    fatal: bool = False


def examine(say: Callable[[str], None]) -> Exit:
    """Only what keeps it from measuring at all is an error; the rest is told with what to do about it."""
    findings = list(_findings())
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "FAIL" if finding.fatal else "warn" if finding.remedy else "ok"
        say(f"{mark:<4}  {finding.name:<{width}}  {finding.value}{f': {finding.remedy}' if finding.remedy else ''}")
    if fatal := [finding for finding in findings if finding.fatal]:
        raise Problem(f"this machine cannot measure: {fatal[0].name} {fatal[0].value}: {fatal[0].remedy}")
    say("")
    for line in describe(probe.take()):
        say(line)
    return Exit.OK


def describe(noise: probe.Noise) -> Iterator[str]:
    yield f"noise floor: two equal processes seemed to differ by {noise.floor:.1%} over {noise.rounds} rounds (computing on all cores)"
    for pace in (QUICK, FULL):
        smallest = noise.resolves[pace.name]
        if smallest is None:
            yield f"{pace.name}: not known: this machine made {noise.rounds} rounds only, {pace.typical_rounds} are needed"
        else:
            yield f"{pace.name} ({pace.typical_rounds} rounds) can show one model to be slower than another from a difference of {smallest:.0%} on"


def _findings() -> Iterator[Finding]:
    settings, machine = host.settings(), host.host()
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    yield Finding("Python modules", f"{', '.join(missing)} missing" if missing else "all there", "run scripts/setup" if missing else "", bool(missing))
    built = sorted(path.name for path in build.BENCHES.glob("bench_*") if os.access(path, os.X_OK)) if build.BENCHES.is_dir() else []
    yield Finding("built", f"{len(built)} models" if built else "nothing yet; scripts/crossover run builds")
    cores = usable_cores()
    yield Finding("cores", f"{cores} of {machine['logical_cores']} ({machine['cpu_model']})", "what needs several cores cannot show its worth" if cores < 2 else "")
    quota = settings["cgroup"]["cpu_max"]
    yield Finding("CPU quota", quota or "none", "the quota holds us back at moments of its choice; lift it" if quota else "")
    yield _load(cores)
    pressure = _pressure()
    yield Finding("CPU pressure", "unknown" if pressure is None else f"{pressure:.0f} % of the last 10 s", "others wait for cores; stop them" if (pressure or 0) > 10 else "")
    governor = settings["governor"]
    slow = governor not in (None, "performance")
    yield Finding("governor", governor or "not ours to choose", "clocks change while measuring; as root: cpupower frequency-set -g performance" if slow else "")
    yield Finding("turbo", {True: "on: clocks depend on temperature", False: "off", None: "unknown"}[settings["turbo"]])
    yield Finding("SMT", {True: "on: two cores may be one", False: "off", None: "unknown"}[machine["smt"]])
    yield Finding("virtualization", f"{machine['virtualization']}{', in a container' if machine['container'] else ''}")
    clock = settings["clock_source"]
    yield Finding("clock", str(clock), "slow to read; boot with tsc" if clock is not None and clock not in _GOOD_CLOCKS else "")
    yield Finding("address randomisation", {"0": "off", "1": "partly", "2": "on"}.get(settings["aslr"] or "", "unknown"))
    yield Finding("transparent huge pages", settings["thp"] or "unknown")
    yield from _limits(settings["nofile"][1])


def _load(cores: int) -> Finding:
    load = os.getloadavg()[0]
    return Finding("load", f"{load:.1f} on {cores} cores", "other programs are running; stop them, or expect large intervals" if load > 0.5 * cores else "")


def _pressure() -> float | None:
    try:
        return float(Path("/proc/pressure/cpu").read_text().split("avg10=")[1].split()[0])
    except (OSError, IndexError, ValueError):
        return None


def _limits(descriptors: int) -> Iterator[Finding]:
    few = descriptors < _LEAST_DESCRIPTORS
    yield Finding("open files", str(descriptors), f"many connections need {_LEAST_DESCRIPTORS}; raise ulimit -Hn" if few else "")
    ports = host.local_ports()
    short = ports is not None and ports < _LEAST_PORTS
    yield Finding("local ports", str(ports or "unknown"), "widen net.ipv4.ip_local_port_range" if short else "")
    threads = host.thread_limit()
    tight = threads is not None and threads < _LEAST_THREADS
    yield Finding("threads", "no limit known" if threads is None else f"at most {threads}", "a thread per task needs 10,000; raise pids.max of the cgroup" if tight else "")
    memory = host.available_memory()
    scarce = memory is not None and memory < _LEAST_MEMORY
    yield Finding("memory", "unknown" if memory is None else f"{memory / 2**30:.1f} GiB available", "free some; large cases need 1 GiB" if scarce else "")
    free = shutil.disk_usage(host.ROOT).free
    yield Finding("disk", f"{free / 2**30:.1f} GiB free", "make room for results" if free < 1 << 28 else "")

"""The facts about this machine that can be checked before measuring: one function per fact, in a table."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from driver import faults
from driver.machine import allowance, host, neighbours
from driver.machine.cores import usable_cores
from driver.prepare import build, checkout
from driver.problem import Problem
from driver.session.cells import Event

_GOOD_CLOCKS = ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page")
_LEAST_DESCRIPTORS = 4096
_LEAST_PORTS = 16_000
_LEAST_MEMORY = 1 << 30
_LEAST_THREADS = 10_000


class Machine:
    """Looked at once for all findings."""

    @cached_property
    def host(self) -> Event:
        """Of this machine, asked once."""
        return host.host()

    @cached_property
    def settings(self) -> Event:
        """Of this machine, asked once."""
        return host.settings()


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what to do about it; fatal: nothing can be measured."""

    text: str
    remedy: str = ""  # empty: all is well
    fatal: bool = False  # nothing can be measured here

    @property
    def level(self) -> str:
        """One of ok, warning and fatal."""
        return "fatal" if self.fatal else "warning" if self.remedy else "ok"


Look = Callable[[Machine], Finding]


def found(findings: Mapping[str, Look]) -> Iterator[tuple[str, Finding]]:
    """With their names. What cannot be read is unknown, and no reason not to measure."""
    machine = Machine()
    for name, find in findings.items():
        try:
            finding = find(machine)
        except OSError as error:
            finding = Finding(f"unknown: {error.strerror}{f': {error.filename}' if error.filename else ''}")
        yield name, finding


def refuse(findings: Mapping[str, Look]) -> None:
    """Raises Problem for the first that is fatal."""
    for name, finding in found(findings):
        if finding.fatal:
            raise fatal(name, finding)


def fatal(name: str, finding: Finding) -> Problem:
    """The error of a run that cannot begin because of the finding."""
    return Problem(f"this machine cannot measure: {name}: {finding.text}: {finding.remedy}")


def _modules(_: Machine) -> Finding:
    """That the report can be drawn is tried before anything is measured for it."""
    try:
        from reports.pages import trial

        trial.draw()
    except Exception as error:
        text, remedy = faults.told(error)
        return Finding(text, remedy or "fix that", fatal=True)
    return Finding("all installed, and a figure can be drawn")


def _environment(machine: Machine) -> Finding:
    told = ", ".join(f"{name}={value}" for name, value in machine.settings["env"].items())
    return Finding(
        told or "nothing that changes what is measured",
        "unset it, unless you want to measure that setting; the report names it" if told else "",
    )


def _revision(_: Machine) -> Finding:
    source = host.source()
    name = source["describe"] or "unknown"
    return Finding(
        f"{name}: {source['reason']}" if source["reason"] else name,
        "the report cannot say what was measured; fix that, or note the revision yourself" if source["reason"] else "",
    )


def _built(_: Machine) -> Finding:
    built = (
        sorted(path.name for path in build.BENCHES.glob("bench_*") if os.access(path, os.X_OK))
        if build.BENCHES.is_dir()
        else []
    )
    return Finding(f"{len(built)} models" if built else "nothing yet; scripts/crossover run builds")


def _cores(machine: Machine) -> Finding:
    cores = usable_cores()
    return Finding(
        f"{cores} of {machine.host['logical_cores']} ({machine.host['cpu_model']})",
        "models that need several cores cannot show their advantage" if cores < 2 else "",
    )


def _quota(machine: Machine) -> Finding:
    quota = machine.settings["cgroup"]["cpu_max"]
    return Finding(quota or "none", "the quota interrupts measurements at random moments; remove it" if quota else "")


def _load(_: Machine) -> Finding:
    load, cores = os.getloadavg()[0], usable_cores()
    return Finding(
        f"{load:.1f} on {cores} cores",
        "other programs are running; stop them, or expect large intervals" if load > 0.5 * cores else "",
    )


def _pressure(_: Machine) -> Finding:
    try:
        pressure = float(Path("/proc/pressure/cpu").read_text().split("avg10=")[1].split()[0])
    except (OSError, IndexError, ValueError):
        return Finding("unknown")
    return Finding(
        f"{pressure:.0f} % of the last 10 s", "other programs wait for cores; stop them" if pressure > 10 else ""
    )


def _priority(machine: Machine) -> Finding:
    priority = machine.settings["priority"]
    return Finding(priority, "other programs run first; start it without nice and chrt" if priority != "normal" else "")


def _governor(machine: Machine) -> Finding:
    governor = machine.settings["governor"]
    slow = governor not in (None, "performance")
    return Finding(
        governor or "cannot be chosen here",
        "clocks change while measuring; as root: cpupower frequency-set -g performance" if slow else "",
    )


def _turbo(machine: Machine) -> Finding:
    return Finding({True: "on: clocks depend on temperature", False: "off", None: "unknown"}[machine.settings["turbo"]])


def _smt(machine: Machine) -> Finding:
    return Finding({True: "on: two cores may be one", False: "off", None: "unknown"}[machine.host["smt"]])


def _virtualization(machine: Machine) -> Finding:
    return Finding(f"{machine.host['virtualization']}{', in a container' if machine.host['container'] else ''}")


def _clock(machine: Machine) -> Finding:
    clock = machine.settings["clock_source"]
    return Finding(str(clock), "slow to read; boot with tsc" if clock is not None and clock not in _GOOD_CLOCKS else "")


def _randomisation(machine: Machine) -> Finding:
    return Finding({"0": "off", "1": "partly", "2": "on"}.get(machine.settings["aslr"] or "", "unknown"))


def _huge_pages(machine: Machine) -> Finding:
    return Finding(machine.settings["thp"] or "unknown")


def _open_files(machine: Machine) -> Finding:
    descriptors = machine.settings["nofile"][1]
    return Finding(
        str(descriptors),
        f"many connections need {_LEAST_DESCRIPTORS}; raise ulimit -Hn" if descriptors < _LEAST_DESCRIPTORS else "",
    )


def _ports(_: Machine) -> Finding:
    ports = host.local_ports()
    return Finding(
        str(ports or "unknown"),
        "widen net.ipv4.ip_local_port_range" if ports is not None and ports < _LEAST_PORTS else "",
    )


def _threads(_: Machine) -> Finding:
    tasks = allowance.tightest_tasks()
    if tasks is None:
        return Finding("no limit known")
    text = f"room for {tasks.spare} at once: {tasks.name} is {tasks.limit}, {tasks.used} in use"
    return Finding(
        text, f"a thread per task needs {_LEAST_THREADS}; raise that limit" if tasks.spare < _LEAST_THREADS else ""
    )


def _memory(_: Machine) -> Finding:
    memory = allowance.tightest_memory()
    if memory is None:
        return Finding("unknown")
    text = f"{memory.left / 2**30:.1f} GiB available: {memory.name} is {memory.limit / 2**30:.1f} GiB"
    return Finding(
        text, "free some, or raise that limit; large cases need 1 GiB" if memory.left < _LEAST_MEMORY else ""
    )


def _disk(_: Machine) -> Finding:
    free = shutil.disk_usage(host.ROOT).free
    return Finding(f"{free / 2**30:.1f} GiB free", "make room for results" if free < 1 << 28 else "")


def _temporary(_: Machine) -> Finding:
    try:
        return Finding(f"in {tempfile.gettempdir()}")
    except OSError as error:
        return Finding(str(error.strerror), "set TMPDIR to a folder that can be written to", fatal=True)


def _others(_: Machine) -> Finding:
    told = ", ".join(neighbours.present())
    return Finding(told or "none", "both would be disturbed; wait until it ends" if told else "")


def _checkout(_: Machine) -> Finding:
    if not checkout.is_writable():
        return Finding(
            f"{host.ROOT} cannot be written to", "only what is built there can be measured, with --out elsewhere"
        )
    return (
        Finding(f"the name of {host.ROOT} confuses CMake", "move the checkout before anything is built")
        if checkout.unfit()
        else Finding(f"{host.ROOT} can be built in")
    )


MACHINE: dict[str, Look] = {
    "cores": _cores,
    "CPU quota": _quota,
    "load": _load,
    "CPU pressure": _pressure,
    "priority": _priority,
    "governor": _governor,
    "turbo": _turbo,
    "SMT": _smt,
    "virtualization": _virtualization,
    "clock": _clock,
    "address randomisation": _randomisation,
    "transparent huge pages": _huge_pages,
    "open files": _open_files,
    "local ports": _ports,
    "threads": _threads,
    "memory": _memory,
    "disk": _disk,
    "temporary files": _temporary,
    "other runs": _others,
    "checkout": _checkout,
}
INSTALLED: dict[str, Look] = {"Python modules": _modules, "built": _built}  # what scripts/setup and the build bring
# never a reason not to measure: a run does not ask
SETTING: dict[str, Look] = {"environment": _environment, "revision": _revision}
ALL = (INSTALLED, MACHINE, SETTING)

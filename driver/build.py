"""Sets up and builds what a run needs, quietly: a progress line, and the last lines of the tool when it fails."""

from __future__ import annotations

import re
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from driver import checkout, environment
from driver.host import ROOT
from driver.problem import Problem
from driver.progress import Progress
from driver.selection import check_names

BENCHES = ROOT / "build" / "release" / "bench"
_KEPT_LINES = 15


def step(what: str, command: Sequence[str], progress: Progress, folder: Path = ROOT) -> None:
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        # Standard input stays: sudo may ask for a password.
        child = subprocess.Popen(command, cwd=folder, env=environment.of_tools(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except OSError as error:
        remedy = ": run scripts/setup" if isinstance(error, FileNotFoundError) and folder.is_dir() else ""
        raise Problem(f"{what}: {command[0]} does not run: {error.strerror}{remedy}") from None
    assert child.stdout is not None
    with child:
        progress.tell(what)
        try:
            for line in child.stdout:
                last.append(line.rstrip())
                step = re.match(r"\[(\d+/\d+)\]", line)
                progress.tell(f"{what} {step[1]}" if step else what)
        except BaseException:  # only a terminal interrupts all of its processes
            child.terminate()
            raise
    if child.returncode:
        if len(last) == 1:
            raise Problem(last[0])
        for line in last:
            progress.say(f"    {line}")
        raise Problem(f"{what} failed (exit code {child.returncode}); its last lines are above")


def prepare(models: Sequence[str], workloads: Sequence[str], progress: Progress, front: Sequence[str] = ()) -> None:
    """Builds the benches of `models`, or of all if none is named; `front` must be among them. A name that does not exist is answered before anything is compiled.

    Where the checkout cannot be written to, what is built already is all that there is."""
    check_names("workload", workloads, all_workloads())
    if not checkout.is_writable():
        _check_built([*models, *front])
        progress.say(f"{ROOT} cannot be written to: what was built there before is measured as it is")
        return
    checkout.check_name()
    with checkout.locked(progress):
        step("setting up", [str(ROOT / "scripts" / "setup")], progress)
        step("configuring", ["cmake", "--preset", "release"], progress)
        step("building", ["cmake", "--build", "--preset", "release", "--target", *targets(models, models_of(BENCHES.parent) if models or front else [], BENCHES, front)], progress)


def _check_built(models: Sequence[str]) -> None:
    there = {path.name.removeprefix("bench_") for path in BENCHES.glob("bench_*")}
    if missing := [model for model in models if model not in there] or ([] if there else ["any model"]):
        raise Problem(f"{missing[0]} is not built, and {ROOT} cannot be written to: build in a checkout that can")


def targets(models: Sequence[str], built: Sequence[str], folder: Path, front: Sequence[str] = ()) -> list[str]:
    """What to build for `models`, or for all if none is named. Those that are not `built` are programs that somebody has laid into the folder."""
    if not models and not front:
        return ["benches"]
    foreign = {path.name.removeprefix("bench_") for path in folder.glob("bench_*")} - set(built)
    check_names("model", [*models, *front], [*built, *foreign])
    if not models:
        return ["benches"]
    return [f"bench_{model}" for model in models if model not in foreign] + ["origin", "load"]


def all_workloads() -> list[str]:
    """As the sources list them."""
    found = re.search(r"workload_list<([^>]*)>;", (ROOT / "workloads" / "all.hpp").read_text(encoding="utf-8"))
    return re.findall(r"\w+", found[1]) if found else []


def models_of(tree: Path) -> list[str]:
    """As that build tree knows them."""
    told = subprocess.run(["ninja", "-C", str(tree), "-t", "targets", "all"], env=environment.of_tools(), capture_output=True, text=True, errors="replace").stdout
    return re.findall(r"^bench/bench_(\w+):", told, re.MULTILINE)


def programs(folder: Path) -> dict[str, Path]:
    """The bench processes of a build by the names of their models."""
    found = {path.name.removeprefix("bench_"): path for path in sorted(folder.glob("bench_*")) if path.is_file() and path.stat().st_mode & 0o111}
    if not found:
        raise Problem("nothing is built yet: scripts/crossover run builds it, as does cmake --preset release && cmake --build --preset release")
    return found


def servers(folder: Path) -> dict[str, Path]:
    """What the models talk to, by name: `origin` and `load`. Without one every bench process starts its own."""
    found = {}
    for name in ("origin", "load"):
        for path in (folder / name, folder / name / name):
            if path.is_file():
                found[name] = path
    return found

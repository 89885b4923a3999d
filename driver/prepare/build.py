"""The programs of a run: sets up and builds them, finds them, and takes their fingerprints."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from driver.machine import environment
from driver.machine.host import ROOT
from driver.names import check_names
from driver.prepare import checkout
from driver.problem import Exit, Problem
from driver.progress import Progress
from driver.session.cells import Event

BENCHES = ROOT / "build" / "release" / "bench"
_KEPT_LINES = 15


def step(what: str, command: Sequence[str], progress: Progress, folder: Path = ROOT) -> None:
    """Shows a progress line, and the last lines of the tool if it fails."""
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    begin = time.monotonic()
    try:
        # Standard input stays: sudo may ask for a password.
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment.of_tools(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        remedy = ": run scripts/setup" if isinstance(error, FileNotFoundError) and folder.is_dir() else ""
        raise Problem(f"{what}: {command[0]} does not run: {error.strerror}{remedy}") from None
    assert child.stdout is not None
    with child:
        progress.tell(what)
        try:
            for line in child.stdout:
                last.append(line.rstrip())
                progress.tell(*_of_ninja(what, line, time.monotonic() - begin))
        except BaseException:  # only a terminal interrupts all of its processes
            child.terminate()
            raise
    if child.returncode:
        if len(last) == 1:
            raise Problem(last[0])
        for line in last:
            progress.say(f"    {line}")
        raise Problem(f"{what} failed (exit code {child.returncode}); its last lines are above")


def _of_ninja(what: str, line: str, elapsed_s: float) -> tuple[str, float | None]:
    """What a line of ninja's says is being built, and how many seconds are left if the other steps take as long."""
    step = re.match(r"\[(\d+)/(\d+)\]\s*(?:.*/CMakeFiles/(\w+)\.dir/|(?:.*[ /])?)(\S*)", line)
    if not step:
        return what, None
    done, all_steps = int(step[1]), int(step[2])
    left_s = elapsed_s * (all_steps - done) / done if done > 1 else None
    return " ".join(filter(None, (what, step[3] or step[4], f"{done}/{all_steps}"))), left_s


def prepare(
    models: Sequence[str],
    workloads: Sequence[str],
    progress: Progress,
    front: Sequence[str] = (),
    few: Sequence[str] = (),
) -> None:
    """Builds the benches of `models`; if none is named those of `few`, as far as they exist, or all; `front` must be
    among them. A name that does not exist is answered before anything is compiled.

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
        step(
            "building",
            [
                "cmake",
                "--build",
                "--preset",
                "release",
                "--target",
                *targets(models, models_of(BENCHES.parent) if models or front or few else [], BENCHES, front, few),
            ],
            progress,
        )


def _check_built(models: Sequence[str]) -> None:
    there = {path.name.removeprefix("bench_") for path in BENCHES.glob("bench_*")}
    if missing := [model for model in models if model not in there] or ([] if there else ["any model"]):
        raise Problem(f"{missing[0]} is not built, and {ROOT} cannot be written to: build in a checkout that can")


def older_than_sources(programs: Mapping[str, Path]) -> list[str]:
    """A warning where this checkout's own programs may be of other sources than lie there: where they can be built,
    they were."""
    own = {name: path.stat().st_mtime_ns for name, path in programs.items() if path.parent == BENCHES}
    if not own or checkout.is_writable():
        return []
    sources = (
        path
        for folder in ("bench", "runtimes", "workloads")
        for path in (ROOT / folder).rglob("*.[ch]pp")
        if not path.stem.endswith("_test")
    )
    changed = max((path.stat().st_mtime_ns for path in sources), default=0)
    older = [name for name, built in own.items() if built < changed]
    return (
        [
            f"built before the sources last changed, where nothing can be built: {', '.join(older)}: what was measured"
            " may be another revision"
        ]
        if older
        else []
    )


def targets(
    models: Sequence[str], built: Sequence[str], folder: Path, front: Sequence[str] = (), few: Sequence[str] = ()
) -> list[str]:
    """What to build for `models`, if none is named for `few`, or for all. Those that are not `built` are programs that
    somebody has laid into the folder."""
    if not models and not front and not few:
        return ["benches"]
    laid_in = {path.name.removeprefix("bench_") for path in folder.glob("bench_*")} - set(built)
    check_names("model", [*models, *front], [*built, *laid_in])
    models = models or [model for model in few if model in built]
    if not models:
        return ["benches"]
    return [f"bench_{model}" for model in models if model not in laid_in] + ["origin", "load"]


def all_workloads() -> list[str]:
    """As the sources list them."""
    found = re.search(r"workload_list<([^>]*)>;", (ROOT / "workloads" / "all.hpp").read_text(encoding="utf-8"))
    return re.findall(r"\w+", found[1]) if found else []


def models_of(tree: Path) -> list[str]:
    """As that build tree knows them; none where ninja is missing."""
    try:
        told = subprocess.run(
            ["ninja", "-C", str(tree), "-t", "targets", "all"],
            env=environment.of_tools(),
            capture_output=True,
            text=True,
            errors="replace",
        ).stdout
    except OSError:
        return []
    return re.findall(r"^bench/bench_(\w+):", told, re.MULTILINE)


def programs(folder: Path, only: Sequence[str] = ()) -> dict[str, Path]:
    """The bench processes of a build by the names of their models: of `only` some of its models, if any is named, and
    of what somebody has laid into the folder."""
    left_out = {*models_of(folder.parent)} - {*only} if only else set()
    found = {
        path.name.removeprefix("bench_"): path
        for path in sorted(folder.glob("bench_*"))
        if path.is_file() and path.stat().st_mode & 0o111
    }
    found = {name: path for name, path in found.items() if name not in left_out}
    if not found:
        raise Problem(
            "nothing is built yet: scripts/crossover run builds it, as does cmake --preset release && cmake --build"
            " --preset release"
        )
    return found


def servers(folder: Path) -> dict[str, Path]:
    """What the models talk to, by name: `origin` and `load`. Without one every bench process starts its own."""
    found = {}
    for name in ("origin", "load"):
        for path in (folder / name, folder / name / name):
            if path.is_file():
                found[name] = path
    return found


def fingerprints(programs: dict[str, Path], begun: list[Event]) -> dict[str, str]:
    """Of every bench program, by model: git does not know what was built, and samples of two programs must not be
    mixed. A Problem if a resumed run was begun with another."""
    found = {name: _fingerprint(path) for name, path in programs.items()}
    for name, before in (begun[0]["programs"] if begun else {}).items():
        if found.get(name) != before:
            raise Problem(
                (
                    f"{name} was rebuilt or left out since that run started: start a new run, or check out the revision"
                    " it started with"
                ),
                Exit.USAGE,
            )
    return found


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def built_anew(prints: Mapping[str, str], programs: Mapping[str, Path]) -> list[str]:
    """A warning where the program of a model is not what it was when the run began."""
    changed = [name for name, path in programs.items() if _print_now(path) != prints[name]]
    return (
        [f"built anew while they were measured: {', '.join(changed)}: samples may be of two programs"]
        if changed
        else []
    )


def _print_now(path: Path) -> str:
    try:
        return _fingerprint(path)
    except OSError:  # gone
        return ""

"""What the user asked a run to measure, as the command line says it or as a journal has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from driver.machine import environment, host
from driver.machine.allocator import GLIBC, Allocator
from driver.problem import Exit, Problem
from driver.session import output
from driver.session.cells import Event
from driver.session.journal import Journal, corrupt
from driver.session.preset import PRESETS, Preset, Variants
from vocabulary import representatives, same_machine
from vocabulary.files import JOURNAL

Size = Mapping[str, int]  # some params of a workload; the models fill in the others
_EXAMPLE = "write --size tasks=5000,wait_us=20000"


@dataclass(frozen=True)
class Front:
    """The model to show first (--focus) and its reference (--against); empty: nobody. Checked before anything is
    measured or drawn."""

    focus: str = ""
    against: str = ""  # empty: the best of the others, case by case

    def __post_init__(self) -> None:
        if self.against and not self.focus:
            raise Problem(f"--against {self.against} needs --focus: name the model to show first", Exit.USAGE)
        if self.against and self.against == self.focus:
            raise Problem(f"--focus and --against both name {self.focus}: name two models", Exit.USAGE)

    @property
    def models(self) -> list[str]:
        """Those that are named."""
        return [model for model in (self.focus, self.against) if model]

    def check_among(self, chosen: Sequence[str]) -> None:
        """Of a run that measures certain models only."""
        for option, model in (("--focus", self.focus), ("--against", self.against)):
            if model and chosen and model not in chosen:
                raise Problem(f"{option} {model} is not among --models {','.join(chosen)}: add it there", Exit.USAGE)

    def check_chosen(self, measured: Set[str]) -> None:
        """Of the cells that are to be measured."""
        for option, model in (("--focus", self.focus), ("--against", self.against)):
            if model and model not in measured:
                raise Problem(
                    f"{option} {model} has none of the chosen cells: choose other cells or workloads", Exit.USAGE
                )


@dataclass
class Request:
    """What the user asked for."""

    preset: Preset
    cores: int  # that a model may use: the one number of the run
    allocator: Allocator
    models: list[str] = field(default_factory=list)
    workloads: list[str] = field(default_factory=list)
    sizes: Sequence[Size] = ()  # of these workloads, instead of those of the lists
    cells: list[str] = field(default_factory=list)  # patterns of ids, among the sizes of all lists
    seed: int | None = None
    out: Path | None = None
    resume: Path | None = None
    front: Front = Front()
    against_built: str = ""  # the commit whose programs are measured beside those of this one
    command_line: list[str] = field(default_factory=list)
    journal: Journal | None = None  # of the run that is resumed
    begun: list[Event] = field(default_factory=list)  # what stands in it

    @property
    def few_models(self) -> list[str]:
        """Where quick chooses the models: those that it may choose. Nothing else is built or opened."""
        if self.models or self.cells or self.resume or self.preset.variants != Variants.NONE:
            return []
        return sorted({*representatives.named(), representatives.BASELINE, *self.front.models})

    @classmethod
    def resumed(cls, folder: Path, budget_ns: int | None, command_line: list[str]) -> Request:
        """As the run was begun."""
        if (folder / JOURNAL).is_file():
            output.check_writable(folder, "make that possible, or start a new run")
        journal = Journal.to_resume(folder)
        events = journal.read()
        if events[0].get("against_built"):
            raise Problem(
                f"the run in {folder} is a check against another revision, which cannot be resumed: start it again",
                Exit.USAGE,
            )
        try:
            run = events[0]
            preset = PRESETS[run["mode"]].with_budget(budget_ns or int(run["time_budget_ns"]))
            if not isinstance(run["programs"], dict) or not isinstance(run["host"], dict):
                raise TypeError
            if differences := same_machine.differences(run["host"], host.host()):
                raise Problem(
                    (
                        f"the run in {folder} was started on another machine ({'; '.join(differences)}): start a new"
                        " run here"
                    ),
                    Exit.USAGE,
                )
            _check_variables(dict(run["settings"]["env"]))
            cores, allocator = host.cores_of_run(int(run["cores"])), Allocator.named(run.get("allocator", GLIBC))
            sizes, cells = [dict(size) for size in run.get("sizes", [])], list(run.get("cells", []))
            models, workloads = list(run["models"]), list(run["workloads"])
            front = Front(run.get("focus") or "", run.get("against") or "")
            return cls(
                preset,
                cores,
                allocator,
                models,
                workloads,
                sizes,
                cells,
                int(run["seed"]),
                None,
                folder,
                front,
                "",
                command_line,
                journal,
                events,
            )
        except (KeyError, TypeError, ValueError):
            raise corrupt(journal.path, 1) from None


def _check_variables(before: Mapping[str, str]) -> None:
    """Samples of two settings must not be mixed."""
    now = environment.telling()
    for name in sorted({*filter(environment.is_telling, before), *now}):
        if before.get(name) != now.get(name):
            old, new = (f"{name}={those[name]}" if name in those else f"no {name}" for those in (before, now))
            raise Problem(
                (
                    f"that run was started with {old} in the environment, now there is {new}: restore it, or start a"
                    " new run"
                ),
                Exit.USAGE,
            )


def parse_size(text: str) -> Size:
    """The params that --size names. A Problem for what is no size."""
    size: dict[str, int] = {}
    for part in text.split(","):
        name, _, value = (side.strip() for side in part.partition("="))
        if not name or not value:
            raise Problem(f"--size {text} does not assign values to params: {_EXAMPLE}", Exit.USAGE)
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise Problem(f"--size {text}: {name} is {value}, not a whole number from 0: {_EXAMPLE}", Exit.USAGE)
        if name in size:
            raise Problem(f"--size {text} names {name} twice: give --size once for each size", Exit.USAGE)
        size[name] = int(value)
    return size

"""How to repeat a run, from what it recorded."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from reports.cases.run import Run


@dataclass(frozen=True)
class Recipe:
    """Lines for a shell, and what to know beside them."""

    lines: tuple[str, ...]
    notes: tuple[str, ...]


def recipe(run: Run) -> Recipe:
    """The commands that measure the same again, and what may differ."""
    revision, command = run.source.get("git_sha"), [
        str(word) for word in run.run.get("command_line") or ("run", f"--{run.run.get('mode', 'quick')}")
    ]
    command = command[1:] if command and command[0].endswith("crossover") else command
    seed = run.run.get("seed")
    if seed is not None and "--seed" not in command:
        command += ["--seed", str(seed)]
    lines = [f"git checkout {shlex.quote(str(revision))}"] if revision else []
    lines.append(shlex.join(["scripts/crossover", *_without_folders(command)]))
    notes = [
        "The seed gives the same order of models in every round; times differ from run to run as the intervals say."
    ]
    if run.source.get("dirty"):
        notes.append("The tree had local changes, which are not part of the revision.")
    notes.append(
        "scripts/crossover compare OLD NEW tells whether the two agree; scripts/crossover doctor whether a machine is"
        " fit."
    )
    return Recipe(tuple(" ".join(line.split()) for line in lines), tuple(notes))


def _without_folders(command: list[str]) -> list[str]:
    """Results go to a folder of their own there."""
    kept, skip = [], False
    for word in command:
        if skip or word.startswith(("--out=", "--resume=")):
            skip = False
        elif word in ("--out", "--resume"):
            skip = True
        else:
            kept.append(word)
    return kept

"""Builds a second revision of this checkout, in a folder of the build tree that is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from driver.machine import git
from driver.machine.host import ROOT
from driver.prepare import build, checkout
from driver.problem import Exit, Problem
from driver.progress import Progress

_KEPT = ROOT / "build" / "revisions"
_SAME = ("CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER")


def commit_of(revision: str) -> str:
    """The full id. Answered before anything is built."""
    top = git.ask(ROOT, "rev-parse", "--show-toplevel")
    if top.text != str(ROOT):
        why = top.fault or f"it belongs to {top.text}"
        raise Problem(
            (
                f"--against-built needs a git checkout, and {ROOT} is not one ({why}): compare two runs with check"
                " BEFORE AFTER"
            ),
            Exit.USAGE,
        )
    commit = git.ask(ROOT, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").text
    if not commit or revision.startswith("-"):
        raise Problem(f"there is no revision {revision}: name a commit, a tag or a branch of this checkout", Exit.USAGE)
    return commit


def build_benches(commit: str, models: Sequence[str], progress: Progress) -> Path:
    """The folder of its bench programs: of those `models` that it has, or of all if none is named."""
    if not checkout.is_writable():
        raise Problem(f"{ROOT} cannot be written to, so {commit[:12]} cannot be built there: use a checkout that can")
    checkout.check_name()
    with checkout.locked(progress):
        return _built(commit, models, progress)


def _built(commit: str, models: Sequence[str], progress: Progress) -> Path:
    tree = _KEPT / commit[:12]
    if not (tree / ".git").exists():
        tree.parent.mkdir(parents=True, exist_ok=True)
        git.ask(ROOT, "worktree", "prune")
        build.step(
            f"checking out {commit[:12]}",
            git.command(ROOT, "worktree", "add", "--detach", "--force", str(tree), commit),
            progress,
        )
    built = tree / "build" / "release"
    build.step(f"configuring {commit[:12]}", ["cmake", "--preset", "release", *_as_here()], progress, tree)
    there = set(build.models_of(built))
    targets = [f"bench_{model}" for model in models if model in there] if models else ["benches"]
    if not targets:
        raise Problem(
            f"{commit[:12]} has none of the models {', '.join(models)}: nothing can be compared", Exit.NOTHING_MATCHED
        )
    build.step(
        f"building {commit[:12]}", ["cmake", "--build", "--preset", "release", "--target", *targets], progress, tree
    )
    return built / "bench"


def _as_here() -> list[str]:
    """The compiler of the own build, and what is put before it."""
    try:
        cache = (build.BENCHES.parent / "CMakeCache.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [
        f"-D{name}={value}" for name, value in re.findall(r"^(\w+):\w+=(.+)$", cache, re.MULTILINE) if name in _SAME
    ]

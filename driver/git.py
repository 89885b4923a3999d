"""Asks git about one folder, whatever repository the environment names."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from driver import environment


class Answer(NamedTuple):
    """Either is empty."""

    text: str
    fault: str = ""


def ask(folder: Path, *arguments: str) -> Answer:
    """Without locks for what git would only like to write: the checkout may be another's, or read-only."""
    try:
        done = subprocess.run(["git", "--no-optional-locks", "-C", str(folder), *arguments], env=environment.of_tools(), capture_output=True, text=True, errors="surrogateescape", check=False)
    except OSError as error:
        return Answer("", f"git does not run: {error.strerror}")
    if done.returncode == 0:
        return Answer(done.stdout.strip())
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return Answer("", said[0] if said else f"git ends with exit code {done.returncode}")

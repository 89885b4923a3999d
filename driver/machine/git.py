"""Runs git on one folder, whatever repository the environment names."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from driver.machine import environment


class Answer(NamedTuple):
    """Either is empty."""

    text: str
    fault: str = ""


def command(folder: Path, *arguments: str) -> list[str]:
    """Also for a checkout of another user: its programs are run anyway. No lock is taken for what git would only like
    to write, and no daemon of the checkout's own is started."""
    return [
        "git",
        "--no-optional-locks",
        "-c",
        "safe.directory=*",
        "-c",
        "core.fsmonitor=false",
        "-C",
        str(folder),
        *arguments,
    ]


def ask(folder: Path, *arguments: str) -> Answer:
    """What git prints about the folder, or why it does not."""
    try:
        done = subprocess.run(
            command(folder, *arguments),
            env=environment.of_tools(),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
    except OSError as error:
        return Answer("", f"git does not run: {error.strerror}")
    if done.returncode == 0:
        return Answer(done.stdout.strip())
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return Answer("", said[0] if said else f"git ends with exit code {done.returncode}")

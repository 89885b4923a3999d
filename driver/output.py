"""Where a run's results go: a folder of their own, nothing in it overwritten."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from driver.host import ROOT
from driver.problem import Exit, Problem

_LEAST_FREE_BYTES = 64 << 20


def check_new(folder: Path) -> None:
    """Before the long part begins: that a run can write its results there, and into nothing that exists."""
    check_folder(folder)
    if folder.exists() and any(folder.iterdir()):
        raise Problem(f"--out {folder} is not empty: name another folder, or continue that run with --resume", Exit.USAGE)


def check_folder(folder: Path) -> None:
    """That it can be made, or written to."""
    if folder.exists() and not folder.is_dir():
        raise Problem(f"--out {folder} is a file: name a folder", Exit.USAGE)
    check_writable(next(parent for parent in (folder, *folder.absolute().parents) if parent.exists()))


def check_writable(folder: Path) -> None:
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise Problem(f"cannot write results into {folder}: choose another folder with --out")
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise Problem(f"only {free >> 20} MiB are free in {folder}, {_LEAST_FREE_BYTES >> 20} are needed: make room or choose another folder with --out")


def write_whole(file: Path, text: str, remedy: str = "") -> None:
    """In one piece: a reader sees the old file or the new one, never half of it. `remedy`: other than to go on with the run of its folder."""
    unfinished = file.with_name(file.name + ".new")
    try:
        with open(unfinished, "w", encoding="utf-8", errors="replace") as stream:  # the name of the folder may be no text
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        remedy = remedy or f"mend that, then go on with scripts/crossover run --resume {file.parent}"
        raise Problem(f"cannot write {file}: {error.strerror}: {remedy}") from None


def make(chosen: Path | None, mode: str) -> Path:
    folder = chosen or _fresh(mode)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"cannot make the results folder {folder}: {error.strerror}: choose another with --out") from None
    return folder


def _fresh(mode: str) -> Path:
    stem = time.strftime("%Y%m%d-%H%M%S-") + mode
    candidates = (ROOT / "results" / (stem + suffix) for suffix in ("", *(f"-{number}" for number in range(2, 100))))
    return next(folder for folder in candidates if not folder.exists())

"""The results folder of a run: its own, and nothing in it is overwritten."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from pathlib import Path

from driver.machine.host import ROOT
from driver.problem import Exit, Problem
from driver.refusal import refused

_LEAST_FREE_BYTES = 64 << 20


def check_new(folder: Path) -> None:
    """Before the long part begins: that a run can write its results there, and into nothing that exists."""
    check_folder(folder)
    if folder.exists() and any(folder.iterdir()):
        raise Problem(
            f"--out {folder} is not empty: name another folder, or continue that run with --resume", Exit.USAGE
        )


def check_folder(folder: Path) -> None:
    """That it can be made, or written to."""
    around = (folder, *folder.absolute().parents)
    try:
        if folder.exists() and not folder.is_dir():
            raise Problem(f"--out {folder} is a file: name a folder", Exit.USAGE)
        if folder.is_symlink() and not folder.exists():
            raise Problem(
                (
                    f"--out {folder} is a link to {os.readlink(folder)}, which is not there: make that folder, or name"
                    " another"
                ),
                Exit.USAGE,
            )
        there = next(parent for parent in around if parent.exists())
    except OSError as error:
        raise refused("stat", f"--out {folder}", error, elsewhere="name another folder") from None
    check_writable(there)


def check_writable(folder: Path, elsewhere: str = "choose another folder with --out") -> None:
    """A Problem where results cannot be written into the folder, or hardly anything is free there."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        why = (
            "it is no folder"
            if not folder.is_dir()
            else "its file system is read-only"
            if os.statvfs(folder).f_flag & os.ST_RDONLY
            else "this user may not"
        )
        raise Problem(f"cannot write results into {folder}: {why}: {elsewhere}")
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise Problem(
            f"only {free >> 20} MiB are free in {folder}, {_LEAST_FREE_BYTES >> 20} are needed: make room or"
            f" {elsewhere}"
        )


def write_whole(file: Path, text: str, elsewhere: str = "") -> None:
    """In one piece: a reader sees the old file or the new one, never half of it. `elsewhere`: how to choose another
    file, where it does not belong to the folder of a run that can be gone on with."""
    unfinished = file.with_name(file.name + ".new")
    call = "open"
    try:
        # the name of the folder may be no text
        with open(unfinished, "w", encoding="utf-8", errors="replace") as stream:
            call = "write"
            stream.write(text)
            stream.flush()
            call = "fsync"
            _sync(stream.fileno())
        call = "rename"
        unfinished.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise refused(
            call,
            file,
            error,
            elsewhere=elsewhere,
            then="" if elsewhere else f"continue with scripts/crossover run --resume {file.parent}",
        ) from None


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        # this file system has no such call: it is written all the same
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise


def make(chosen: Path | None, mode: str) -> Path:
    """The folder of a run: the chosen one, or a new one that no other run has made at the same moment."""
    stem = ROOT / "results" / (time.strftime("%Y%m%d-%H%M%S-") + mode)
    try:
        if chosen is not None:
            chosen.mkdir(parents=True, exist_ok=True)
            return chosen
        stem.parent.mkdir(exist_ok=True)
        for number in range(1, 100):
            folder = stem if number == 1 else stem.with_name(f"{stem.name}-{number}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                return folder
    except OSError as error:
        raise refused("mkdir", error.filename or chosen, error, elsewhere="choose another folder with --out") from None
    raise Problem(f"there are too many folders {stem}-2, -3 and so on: choose another folder with --out")

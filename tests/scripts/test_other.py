"""scripts/test other where it cannot work: one line that says why, and its exit code. What it does takes half an hour,
and is tried by hand."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, folder: Path | None = None, **options: object) -> "subprocess.CompletedProcess[str]":
    """Finds only the programs of `folder`, if one is given."""
    environment = {**os.environ, **({"PATH": str(folder)} if folder else {})}
    command = [ROOT / "scripts" / "test", *arguments]
    return subprocess.run(  # type: ignore[call-overload]
        command, env=environment, text=True, capture_output=True, timeout=60, **options
    )


def tools(folder: Path, **doubles: str) -> Path:
    """Programs that a bare system has, and doubles of others."""
    for tool in ("bash", "dirname", "readlink", "env", "chmod", "mktemp", "rm", "grep", "head"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    for name, body in {"id": "echo 0", **doubles}.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    "doubles, told",
    [
        ({"id": "echo 1000"}, "test other: a folder of another distribution needs root: run it as root"),
        ({}, "test other: debootstrap is missing: apt-get install debootstrap"),
        (
            {"debootstrap": "", "unshare": "exit 1"},
            "test other: no namespaces may be made here: run it outside of a container",
        ),
    ],
)
def test_what_hinders_is_one_line(tmp_path: Path, doubles: dict[str, str], told: str) -> None:
    done = run("other", folder=tools(tmp_path, **doubles))
    assert (done.returncode, done.stdout, done.stderr) == (3, "", told + "\n")


def test_a_folder_that_was_begun_is_removed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "temporary").mkdir()
    folder = tools(tmp_path / "bin", debootstrap="", unshare='[ "${6-}" != inside ] || exit 7')
    done = subprocess.run(
        [ROOT / "scripts" / "other"],
        env={"PATH": str(folder), "TMPDIR": str(tmp_path / "temporary")},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 7
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("arguments", [["others"], ["other", "now"], [""]])
def test_other_arguments_are_refused(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)

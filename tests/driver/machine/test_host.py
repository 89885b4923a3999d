"""What is said of the source that was measured, whatever version control knows of it, and of the processor, whichever
it is."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from driver.machine import host
from tests.driver.other_user import NOBODY, as_user, only_root


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    monkeypatch.setattr(host, "ROOT", folder)
    return folder


def test_a_tree_without_version_control_is_unknown(tree: Path) -> None:
    source = host.source()
    assert (source["git_sha"], source["dirty"], source["describe"]) == (None, None, None)
    assert source["reason"].startswith("fatal: not a git repository")


def test_a_repository_without_commits_has_no_revision(tree: Path) -> None:
    git(tree, "init")
    source = host.source()
    assert (source["git_sha"], source["describe"]) == (None, None)


def test_a_tree_inside_of_another_repository_does_not_take_its_revision(tree: Path) -> None:
    git(tree.parent, "init")
    git(tree.parent, "commit", "--allow-empty", "-m", "theirs")
    assert host.source() == {
        "git_sha": None,
        "dirty": None,
        "describe": None,
        "reason": f"belongs to another repository: {tree.parent}",
    }


def test_a_change_makes_the_tree_dirty(tree: Path) -> None:
    git(tree, "init")
    (tree / "file").write_text("old")
    git(tree, "add", "file")
    git(tree, "commit", "-m", "ours")
    clean = host.source()
    assert (len(clean["git_sha"]), clean["dirty"]) == (40, False)
    (tree / "file").write_text("new")
    assert host.source()["dirty"] is True
    assert host.source()["describe"].endswith("-dirty")


@only_root
def test_the_revision_of_another_users_checkout_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.setattr(host, "ROOT", folder)
        git(folder, "init")
        git(folder, "commit", "--allow-empty", "-m", "theirs")
        ours = host.source()
        assert (len(ours["git_sha"]), ours["dirty"], ours["reason"]) == (40, False, "")
        assert as_user(NOBODY, host.source) == ours
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        assert host.source() == ours
        (folder / ".git" / "HEAD").chmod(0)
        told = as_user(NOBODY - 1, host.source)
        assert told["git_sha"] is None and told["reason"].startswith("fatal: ")


@pytest.mark.parametrize(
    "cpuinfo, name",
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 9B14\nflags\t\t: hypervisor\n\nprocessor\t: 1\n", "AMD EPYC 9B14"),
        (
            "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n\nprocessor\t: 1\n",
            "Arm implementer 0x41, part 0xd4f",
        ),
        ("processor\t: 0\ncpu\t\t: POWER10, altivec supported\n", "POWER10, altivec supported"),
        ("", None),
    ],
)
def test_the_processor_is_named_as_its_kernel_names_it(
    cpuinfo: str, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = host._text
    monkeypatch.setattr(host, "_text", lambda path: cpuinfo if path == "/proc/cpuinfo" else read(path))
    assert host.host()["cpu_model"] == name

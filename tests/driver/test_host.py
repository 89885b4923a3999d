"""What is said of the source that was measured, whatever version control knows of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from driver import host


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    monkeypatch.setattr(host, "ROOT", folder)
    return folder


def test_a_tree_without_version_control_is_unknown(tree: Path) -> None:
    assert host.source() == {"git_sha": None, "dirty": None, "describe": None}


def test_a_repository_without_commits_has_no_revision(tree: Path) -> None:
    git(tree, "init")
    source = host.source()
    assert (source["git_sha"], source["describe"]) == (None, None)


def test_a_tree_inside_of_another_repository_does_not_take_its_revision(tree: Path) -> None:
    git(tree.parent, "init")
    git(tree.parent, "commit", "--allow-empty", "-m", "theirs")
    assert host.source() == {"git_sha": None, "dirty": None, "describe": None}


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

"""The limits of cgroups in trees of both versions, which runtimes/system/tests/cgroup_test.cpp reads as well: a bench
and the driver see the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from driver.machine import cgroup
from tests.driver.conftest import ROOT

TREES: dict[str, dict[str, Any]] = json.loads(
    (ROOT / "runtimes" / "system" / "tests" / "cgroup_trees.json").read_text()
)


def told(limits: list[cgroup.Limit], root: Path) -> list[list[Any]]:
    return [[str(limit.file.relative_to(root)), limit.limit, limit.used] for limit in limits]


@pytest.mark.parametrize("name", TREES)
def test_every_tree_has_the_limits_that_stand_beside_it(name: str, tmp_path: Path) -> None:
    tree = TREES[name]
    for file, text in tree["files"].items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    for file in tree.get("unreadable", []):
        (tmp_path / file).mkdir(parents=True)  # not even root reads a folder as a file
    quota = cgroup.tightest_quota(tmp_path)
    assert (quota and quota.cores) == tree.get("cores")
    assert told(cgroup.memory_limits(tmp_path), tmp_path) == tree.get("memory", [])
    assert told(cgroup.task_limits(tmp_path), tmp_path) == tree.get("tasks", [])


def test_a_group_whose_name_is_no_utf_8_is_found(tmp_path: Path) -> None:
    name = b"caf\xe9"
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_bytes(b"0::/" + name + b"\n")
    folder = cgroup.folders("cpu", tmp_path)[0]
    folder.mkdir(parents=True)
    assert folder.parent == tmp_path / "sys/fs/cgroup" and bytes(folder).endswith(name)
    (folder / "cpu.max").write_text("200000 100000\n")
    assert cgroup.tightest_quota(tmp_path) == cgroup.Quota(200_000, 100_000)


def test_throttled_time_is_counted_by_either_version(tmp_path: Path) -> None:
    (tmp_path / "2").write_text("usage_usec 9\nnr_throttled 2\nthrottled_usec 1500\n")
    (tmp_path / "1").write_text("nr_periods 9\nnr_throttled 2\nthrottled_time 1500000\n")
    assert [cgroup.throttled_ns(tmp_path / version) for version in ("1", "2", "none")] == [1_500_000, 1_500_000, None]

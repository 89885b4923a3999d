"""One number of cores in a run: the driver's, which every bench is told."""

from __future__ import annotations

import os

import pytest

from driver.machine import cores, host
from driver.machine.cgroup import Quota
from driver.problem import Problem
from tests.driver.conftest import Benches


def test_affinity_mask_and_quota_count_whichever_allows_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 5, 7})
    for quota, expected in ((None, 4), (Quota(150_000, 100_000), 2), (Quota(900_000, 100_000), 4)):
        monkeypatch.setattr(cores, "tightest_quota", lambda: quota)
        assert cores.usable_cores() == expected


def test_a_run_uses_what_it_was_told_or_all_and_no_more_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "usable_cores", lambda: 3)
    assert [host.cores_of_run(asked) for asked in (None, 1, 3)] == [3, 1, 3]
    for asked in (0, -1, 4):
        with pytest.raises(Problem, match=f"--cores {asked}: this process may use 1 to 3"):
            host.cores_of_run(asked)


def test_every_bench_is_told_the_number_that_stands_in_the_run(benches: Benches) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.run()
    told = [event["hello"]["options"] for event in result.journal if event["event"] == "model"]
    assert told == [["--serve", "--cores", str(cores.usable_cores())]] * 2
    assert result.run["run"]["cores"] == cores.usable_cores()


def test_a_model_that_says_another_number_is_not_measured(benches: Benches) -> None:
    benches.add("odd", hello={"cores": 99})
    benches.add("even", hello={"cores": cores.usable_cores()})
    result = benches.run()
    reasons = {model["id"]: model["reason"] for model in result.run["models"] if model["twin_of"] is None}
    assert reasons == {
        "odd": (
            "its hello does not conform to the protocol: cores is 99, and it was started with --cores"
            f" {cores.usable_cores()}"
        ),
        "even": "",
    }
    assert result.code == 4 and {cell["model"] for cell in result.run["cells"] if cell["samples"]} >= {"even"}

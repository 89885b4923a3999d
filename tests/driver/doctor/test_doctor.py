"""The doctor says what a machine lacks, and how small a difference it can show."""

from __future__ import annotations

import json
import math
import os
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from driver.doctor import doctor, findings, probe, readiness
from driver.doctor.findings import Finding
from driver.doctor.probe import Noise, judge
from driver.machine import allowance, host
from driver.machine.allowance import Allowance
from driver.prepare import build
from driver.problem import Exit, Problem
from driver.progress import Progress
from driver.session.preset import QUICK
from reports.pages import trial
from verdicts import statistics


def taken(rounds: int, cv: float, factor: float = 1.0, seed: int = 1) -> list[tuple[int, int]]:
    source = random.Random(seed)

    def value() -> float:
        return 1e9 * math.exp(source.gauss(0, cv))

    return [(round(value()), round(value() * factor)) for _ in range(rounds)]


def test_the_floor_of_a_quiet_machine_is_small_and_it_resolves_little_more_than_the_margin() -> None:
    quiet, loud = judge(taken(200, 0.005)), judge(taken(200, 0.2))
    assert quiet.floor < 0.005
    assert quiet.resolves["quick"] is not None and loud.resolves["quick"] is not None
    assert 0.05 < quiet.resolves["quick"] < 0.07 < loud.resolves["quick"]
    assert loud.resolves["full"] is not None and loud.resolves["full"] < loud.resolves["quick"]


def test_too_few_rounds_resolve_nothing_that_is_known() -> None:
    noise = judge(taken(10, 0.01))
    assert noise.resolves == {"quick": None, "full": None}
    assert "not known" in "".join(doctor.describe(noise))


def test_a_difference_of_what_is_resolved_is_shown_in_about_half_of_runs_and_twice_that_in_nearly_all() -> None:
    cv = 0.1
    smallest = judge(taken(400, cv)).resolves["quick"]
    assert smallest is not None

    def shown(factor: float) -> float:
        count = 0
        for seed in range(100):
            pairs = taken(QUICK.typical_rounds, cv, factor, seed + 10)
            found = statistics.bounds([math.log(other / one) for one, other in pairs])
            count += found.claim_low > math.log(statistics.MARGIN)
        return count / 100

    assert 0.3 <= shown(1 + smallest) <= 0.75
    assert shown(1 + 2 * smallest) >= 0.9


def test_the_probe_measures_and_leaves_no_process_behind() -> None:
    from driver.machine.process_supervisor import children_of

    before = children_of(os.getpid())
    noise = probe.take()
    assert noise.rounds >= 6 and noise.floor < 1
    assert children_of(os.getpid()) == before


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Noise:
    """Nothing is probed."""
    noise = Noise(90, 0.01, {"quick": 0.2, "full": None})
    monkeypatch.setattr(probe, "take", lambda: noise)
    return noise


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing can be measured."""
    monkeypatch.setitem(
        findings.MACHINE, "gravity", lambda machine: Finding("none here", "go back to Earth", fatal=True)
    )


def test_everything_is_told_in_lines_that_end_with_the_remedy(
    quiet: Noise, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "BENCHES", tmp_path)
    monkeypatch.setattr(findings, "usable_cores", lambda: 1)
    monkeypatch.setattr(allowance, "tightest_tasks", lambda: Allowance("pids.max", 100, 90))
    said: list[str] = []
    assert doctor.examine(False, said.append) == Exit.OK
    text = "\n".join(said)
    assert "nothing yet; scripts/crossover run builds" in text
    assert (
        "warn  cores" in text
        and "warn  threads" in text
        and "room for 10 at once: pids.max is 100, 90 in use: a thread per task needs 10000; raise that limit" in text
    )
    assert "seemed to differ by 1.0% over 90 rounds" in text
    assert "quick (24 rounds) can show one model to be slower than another from a difference of 20% on" in text


def test_what_keeps_it_from_measuring_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_numpy() -> None:
        raise ModuleNotFoundError(name="numpy_of_another_world")

    monkeypatch.setattr(trial, "draw", without_numpy)
    with pytest.raises(Problem) as caught:
        doctor.examine(False, lambda line: None)
    assert caught.value.code == Exit.ENVIRONMENT
    assert (
        str(caught.value)
        == "this machine cannot measure: Python modules: the Python module numpy_of_another_world is missing: run"
        " scripts/setup"
    )


def test_what_cannot_be_read_is_unknown_and_no_error(quiet: Noise, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(machine: findings.Machine) -> Finding:
        raise PermissionError(13, "Permission denied", "/proc/moods")

    monkeypatch.setitem(findings.MACHINE, "mood", unreadable)
    said: list[str] = []
    assert doctor.examine(False, said.append) == Exit.OK
    assert [line.split() for line in said if " mood " in line] == [
        "ok mood unknown: Permission denied: /proc/moods".split()
    ]


def printed(as_json: list[str]) -> dict[str, Any]:
    document = json.loads("\n".join(as_json))
    jsonschema.validate(document, json.loads((host.ROOT / "reports/schema/doctor-1.schema.json").read_text()))
    return dict(document)


def test_as_json_it_says_the_same_for_programs_and_nothing_else(quiet: Noise) -> None:
    said: list[str] = []
    assert doctor.examine(True, said.append) == Exit.OK
    document = printed(said)
    assert [finding["name"] for finding in document["findings"]] == [name for looks in findings.ALL for name in looks]
    assert all(bool(finding["remedy"]) == (finding["level"] != "ok") for finding in document["findings"])
    assert document["noise"] == {"rounds": 90, "floor": 0.01, "resolves": {"quick": 0.2, "full": None}}


def test_as_json_what_is_fatal_stands_in_it_and_is_an_error_all_the_same(broken: None) -> None:
    said: list[str] = []
    with pytest.raises(Problem, match="this machine cannot measure: gravity: none here: go back to Earth"):
        doctor.examine(True, said.append)
    document = printed(said)
    assert document["noise"] is None
    assert {finding["name"]: finding["level"] for finding in document["findings"]}["gravity"] == "fatal"


def test_a_run_is_refused_for_what_doctor_calls_fatal_before_anything_is_built_or_asked(
    broken: None, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        readiness.ready([], [], None, Progress())
    assert (str(caught.value), caught.value.code) == (
        "this machine cannot measure: gravity: none here: go back to Earth",
        Exit.ENVIRONMENT,
    )

"""The doctor tells what a machine lacks, and how small a difference it can show."""

from __future__ import annotations

import math
import os
import random
from pathlib import Path

import pytest

from driver import build, doctor, host, probe
from driver.pace import QUICK
from driver.probe import Noise, judge
from driver.problem import Exit, Problem
from reports import statistics


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
    from driver.nursery import children_of

    before = children_of(os.getpid())
    noise = probe.take()
    assert noise.rounds >= 6 and noise.floor < 1
    assert children_of(os.getpid()) == before


def test_everything_is_told_in_lines_that_end_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probe, "take", lambda: Noise(90, 0.01, {"quick": 0.2, "full": None}))
    monkeypatch.setattr(build, "BENCHES", tmp_path)
    monkeypatch.setattr(doctor, "usable_cores", lambda: 1)
    monkeypatch.setattr(host, "thread_limit", lambda: 100)
    said: list[str] = []
    assert doctor.examine(said.append) == Exit.OK
    text = "\n".join(said)
    assert "nothing yet; scripts/crossover run builds" in text
    assert "warn  cores" in text and "warn  threads" in text and "raise pids.max" in text
    assert "seemed to differ by 1.0% over 90 rounds" in text
    assert "quick (24 rounds) can show one model to be slower than another from a difference of 20% on" in text


def test_what_keeps_it_from_measuring_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_MODULES", ("numpy", "numpy_of_another_world"))
    with pytest.raises(Problem) as caught:
        doctor.examine(lambda line: None)
    assert caught.value.code == Exit.ENVIRONMENT
    assert "numpy_of_another_world missing: run scripts/setup" in str(caught.value)

"""Budgets."""

import pytest
from vocabulary.looks import LOOKS

from driver.problem import Problem
from driver.session.preset import PRESETS, QUICK, SECOND, Preset, parse_duration
from vocabulary.looks import LEAST_ROUNDS


def test_an_iteration_may_cost_a_fixed_share_of_the_budget_in_force_and_of_few_cells_more() -> None:
    assert QUICK.cap_ns(1000) == QUICK.budget_ns // QUICK.cap_share
    assert QUICK.with_budget(2 * QUICK.budget_ns).cap_ns(1000) == pytest.approx(2 * QUICK.cap_ns(1000))
    assert (
        QUICK.cap_ns(0)
        == QUICK.cap_ns(1)
        == QUICK.budget_ns // 4 // LEAST_ROUNDS
        > QUICK.cap_ns(50)
        > QUICK.cap_ns(1000)
    )
    assert QUICK.with_budget(None) == QUICK


@pytest.mark.parametrize("preset", PRESETS.values())
def test_the_first_rounds_of_a_cell_at_its_cap_are_a_small_share_of_the_budget(preset: Preset) -> None:
    assert LEAST_ROUNDS * preset.cap_ns(800) < preset.budget_ns / 40
    assert preset.typical_rounds in LOOKS


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "0", "-5", "soon", "5 m", "5d", "1e3"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        parse_duration(text)

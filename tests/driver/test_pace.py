"""Budgets."""

import pytest

from driver.pace import QUICK, SECOND, parse_duration
from driver.problem import Problem


def test_few_cells_may_cost_more_each_and_many_keep_their_least_share() -> None:
    assert QUICK.cell_budget_ns(1) == QUICK.budget_ns // 4
    assert QUICK.cell_budget_ns(30) == QUICK.budget_ns // 10
    assert QUICK.cell_budget_ns(1000) == QUICK.budget_ns // QUICK.cell_share


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "0", "-5", "soon", "5 m", "5d", "1e3"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        parse_duration(text)

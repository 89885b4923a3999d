"""How long and how often quick and full measure, and what each cell may cost."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from driver.problem import Exit, Problem

SECOND = 1_000_000_000
LEAST_ROUNDS = 6  # fewer give no interval, so no verdict


@dataclass(frozen=True)
class Pace:
    name: str
    budget_ns: int  # from opening the benches to the last sample; build and report come on top
    target_ns: int  # length of a sample of short iterations
    most_rounds: int
    processes: int  # how many processes of a model share the rounds
    cell_share: int  # 1/cell_share of the budget is what a cell may cost in any case; beyond, it is projected
    all_models: bool  # not only those that stand for their family, and the baseline
    grace_ns: int = 5 * SECOND  # added to every deadline: a busy machine is not a hang

    @property
    def utmost_rounds(self) -> int:
        """With those that make up for disturbed ones."""
        return self.most_rounds * 3 // 2

    def cell_budget_ns(self, cells: int) -> int:
        """For the least rounds of one of so many cells. Most are cheap, so that some may cost three times their share, up to a quarter of all."""
        return max(self.budget_ns // self.cell_share, min(3 * self.budget_ns // cells, self.budget_ns // 4))

    def with_budget(self, budget_ns: int | None) -> Pace:
        return self if budget_ns is None else replace(self, budget_ns=budget_ns)


# Full has time to see that forking 10,000 processes is dear, not hung.
# Quick must end within 60 s with its report. 24 rounds name a 1.5x winner on a noisy machine; 12 name a 2x one.
QUICK = Pace("quick", 46 * SECOND, 12_000_000, most_rounds=24, processes=1, cell_share=60, all_models=False)
FULL = Pace("full", 540 * SECOND, 20_000_000, most_rounds=36, processes=3, cell_share=100, all_models=True, grace_ns=15 * SECOND)
PACES = {pace.name: pace for pace in (QUICK, FULL)}


def parse_duration(text: str) -> int:
    """Nanoseconds of 90, 90s, 5m or 1h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    nanoseconds = round(float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] * SECOND) if match else 0
    if nanoseconds < SECOND:
        raise Problem(f"--time-budget {text} is no time of at least one second: write 90s, 5m or 1h", Exit.USAGE)
    return nanoseconds

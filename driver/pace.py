"""How long and how often quick, full and exhaustive measure, and what each cell may cost."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum

from driver.problem import Exit, Problem

SECOND = 1_000_000_000
_LONGEST_S = 31 * 86_400  # of a budget
LEAST_ROUNDS = 6  # fewer give no interval, so no verdict


MOST_CELLS = 800  # of full: so many can be measured in its time


class Variants(IntEnum):
    """Of the models that do not stand for their family, what is measured."""

    NONE = 0
    ONE_CASE = 1  # of each workload, up to MOST_CELLS in all
    ALL = 2


@dataclass(frozen=True)
class Pace:
    name: str
    budget_ns: int  # from opening the benches to the last sample; build and report come on top
    target_ns: int  # length of a sample of short iterations
    most_rounds: int
    processes: int  # how many of a model share the rounds one after the other, where there is time to warm them up
    cell_share: int  # 1/cell_share of the budget is what a cell may cost in any case; beyond, it is projected
    variants: Variants
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


# Full must end within 10 min with its report, and has time to see that forking 10,000 processes is dear, not hung.
# Quick must end within 60 s with its report. 24 rounds name a 1.5x winner on a noisy machine; 12 name a 2x one.
QUICK = Pace("quick", 46 * SECOND, 12_000_000, most_rounds=24, processes=1, cell_share=60, variants=Variants.NONE)
FULL = Pace("full", 560 * SECOND, 12_000_000, most_rounds=36, processes=3, cell_share=100, variants=Variants.ONE_CASE, grace_ns=15 * SECOND)
# Every size on every model, over a night.
EXHAUSTIVE = Pace("exhaustive", 10 * 3600 * SECOND, 20_000_000, most_rounds=36, processes=3, cell_share=600, variants=Variants.ALL, grace_ns=60 * SECOND)
PACES = {pace.name: pace for pace in (QUICK, FULL, EXHAUSTIVE)}


def parse_duration(text: str) -> int:
    """Nanoseconds of 90, 90s, 5m or 1h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0
    if seconds < 1:
        raise Problem(f"--time-budget {text} is no time of at least one second: write 90s, 5m or 1h", Exit.USAGE)
    if seconds > _LONGEST_S:
        raise Problem(f"--time-budget {text} is over a month: write 90s, 5m or 1h", Exit.USAGE)
    return round(seconds * SECOND)

"""How long quick, full and exhaustive measure, and what an iteration may cost in each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum

from driver.problem import Exit, Problem
from vocabulary.looks import LEAST_ROUNDS, LOOKS

SECOND = 1_000_000_000
_LONGEST_S = 31 * 86_400  # of a budget
NAMED_ROUNDS = LOOKS[1]  # of a cell that the user named, where the time allows
SAMPLE_NS = 4_000_000  # aimed at: a longer sample is hardly quieter, and many short ones see more of the run


MOST_CELLS = 800  # of full: so many can be measured in its time


class Variants(IntEnum):
    """Of the models that do not stand for their family, what is measured."""

    NONE = 0
    ONE_CASE = 1  # of each workload, up to MOST_CELLS in all
    ALL = 2


@dataclass(frozen=True)
class Preset:
    """The settings of a mode. Times are in ns."""

    name: str
    budget_ns: int  # from opening the benches to the last sample; build and report come on top
    cap_share: int  # 1/cap_share of the budget is what an iteration may take in any case; beyond, the cell is projected
    variants: Variants
    typical_rounds: int  # of a case: what a run of this length can resolve
    # rounds before the first look after which a model starts anew: of a short run only those tell what differs between
    # its processes
    first_of_a_process: int
    grace_ns: int = 5 * SECOND  # added to every deadline: a busy machine is not a hang

    def cap_ns(self, cells: int) -> int:
        """What an iteration may take in a run of so many cells: of few each may cost more, up to a quarter of the
        budget for its first rounds."""
        return max(
            self.budget_ns // self.cap_share,
            min(3 * self.budget_ns // max(1, cells), self.budget_ns // 4) // LEAST_ROUNDS,
        )

    def cap_of_named_ns(self, cases: int) -> int:
        """What an iteration of a cell may take that the user named: the budget belongs to those cases."""
        return self.budget_ns // max(1, cases) // NAMED_ROUNDS

    def with_budget(self, budget_ns: int | None) -> Preset:
        """With another time budget; None: as it is."""
        return self if budget_ns is None else replace(self, budget_ns=budget_ns)


# Full must end within 10 min with its report; quick within 60 s with its report.
QUICK = Preset("quick", 46 * SECOND, cap_share=260, variants=Variants.NONE, typical_rounds=24, first_of_a_process=2)
FULL = Preset(
    "full",
    560 * SECOND,
    cap_share=600,
    variants=Variants.ONE_CASE,
    typical_rounds=48,
    first_of_a_process=6,
    grace_ns=15 * SECOND,
)
# Every size on every model, over a night.
EXHAUSTIVE = Preset(
    "exhaustive",
    10 * 3600 * SECOND,
    cap_share=3600,
    variants=Variants.ALL,
    typical_rounds=192,
    first_of_a_process=6,
    grace_ns=60 * SECOND,
)
PRESETS = {preset.name: preset for preset in (QUICK, FULL, EXHAUSTIVE)}


def parse_duration(text: str) -> int:
    """Nanoseconds of 90, 90s, 5m or 1h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0
    if seconds < 1:
        raise Problem(f"--time-budget {text} is not a time of at least one second: write 90s, 5m or 1h", Exit.USAGE)
    if seconds > _LONGEST_S:
        raise Problem(f"--time-budget {text} is over a month: write 90s, 5m or 1h", Exit.USAGE)
    return round(seconds * SECOND)

"""When a model counts as slower than before: the level of a check, and the ratio of two programs that were measured in
the same rounds."""

from __future__ import annotations

import math

from verdicts.statistics import Estimate, Series, common_rounds, estimate
from vocabulary.looks import LOOKS

# Benjamini and Hochberg's level over one check, were all models worse by just the threshold. Unchanged ones lie further
# off: of 330 checks between runs of unchanged programs beside compilers, with 60 comparisons each, none had an alarm;
# of 1,000 simulated ones at most ten.
LEVEL = 0.05
SEEN = len(LOOKS) + 1  # at most so often a pair is looked at: the last time when the time is spent


def ratio(now: Series, before: Series) -> Estimate | None:
    """Of the log of now / before, within rounds; None with fewer than two common ones."""
    rounds = common_rounds(now, before)
    if len(rounds) < 2:
        return None
    logs = [math.log(now.values[round] / before.values[round]) for round in rounds]
    return estimate(logs, [(now.process.get(round), before.process.get(round)) for round in rounds])

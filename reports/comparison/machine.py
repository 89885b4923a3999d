"""How much the machine changed between two runs, estimated from all cases: the reference for a model with too few
others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median

from verdicts.statistics import Estimate

_UNKNOWN = 0.25  # error where nothing else tells: two runs of one program on a machine that others use too
_SURE = 0.15  # error at least: the machine moves one case more than the other, and few cases do not show by how much
_LEAST = 3  # cases that tell how much cases differ
_FREEDOM = 30.0
_MAD = 1.4826  # times the median deviation is the standard deviation of what is normal


def machine(together: Mapping[str, float], classes: Mapping[str, str], case: str) -> Estimate:
    """`together`: by how much all models of a case moved; `classes`: the kind of work of each case. Of the other cases
    of its class, or of all where they are few."""
    others = {name: moved for name, moved in together.items() if name != case}
    of_class = [moved for name, moved in others.items() if classes[name] == classes[case]]
    known = of_class if len(of_class) >= _LEAST else list(others.values())
    middle = median(known) if known else 0.0
    if len(known) < _LEAST:
        return Estimate(middle, _UNKNOWN, _FREEDOM)
    spread = _MAD * median(abs(moved - middle) for moved in known) * math.sqrt(1 + 1 / len(known))
    return Estimate(middle, max(spread, _SURE), float(len(known)))

"""How long a model takes for n items that each wait and compute, between the measured sizes, and how far such an
estimate misses.

The shape is that of the work, not a polynomial: with k items alive together the waits take W = ⌈n / k⌉ × wait, the
computing takes C = n × compute / P, and the whole max(W, C) + α × min(W, C) + n × overhead. P, α and the overhead are
fitted to the measured cases; what a case differs from the fit corrects the answer near that case. How far that misses
is measured, too: each case is estimated from all others, and compared with what was measured there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from verdicts.statistics import Bounds, Estimate

Array = NDArray[np.float64]

LEAST_CASES = 6  # three parameters are fitted, and the misses of the rest are to tell something
_PARALLEL = np.geomspace(0.1, 1.0, 24)  # of the cores
_OVERLAP = np.linspace(0.0, 1.0, 6)
_OVERHEAD = np.geomspace(1.0, 1e7, 57)  # ns of each item
_LEAST_WAIT_NS, _LEAST_COMPUTE_NS = 1e4, 1e2  # below these, sizes do not differ
_REACH = 0.5  # decades over which a measured case corrects the fit
NEAR_RATIO = 10**0.1  # in each parameter: two works are alike


@dataclass(frozen=True)
class Work:
    """A mix: how many tasks, how long each waits and computes, in ns."""

    tasks: int
    wait_ns: float
    compute_ns: float  # of one task

    @property
    def place(self) -> Array:
        """In decades."""
        return np.log10([self.tasks, max(self.wait_ns, _LEAST_WAIT_NS), max(self.compute_ns, _LEAST_COMPUTE_NS)])

    def distance(self, other: Work) -> float:
        """In decades."""
        return float(np.linalg.norm(self.place - other.place))

    def near(self, other: Work) -> bool:
        """Both are so close that a measured case of one says something of the other."""
        return bool((np.abs(self.place - other.place) <= math.log10(NEAR_RATIO)).all())

    @property
    def waits(self) -> bool:
        """A task that does not wait is never suspended: what a model spends on it is another thing."""
        return self.wait_ns > _LEAST_WAIT_NS

    def computing(self) -> Work:
        """What it costs in CPU time: waiting costs none."""
        return replace(self, wait_ns=0.0)


@dataclass(frozen=True)
class Measured:
    """What one case took."""

    work: Work
    ns: float


class _Shapes:
    """What the formula gives for every combination of the grids, or for one of them."""

    def __init__(self, cores: int) -> None:
        parallel, overlap, overhead = (
            grid.ravel() for grid in np.meshgrid(_PARALLEL, _OVERLAP, _OVERHEAD, indexing="ij")
        )
        self._combinations = np.array([parallel * cores, overlap, overhead])
        # Where the cases leave a choice: all cores, half overlapped, a microsecond.
        self.doubts = 0.002 * (np.log(parallel) ** 2 + (overlap - 0.5) ** 2 + (np.log(overhead / 1e3) / 3) ** 2)

    def logs(self, work: Work, concurrency: int, chosen: int | slice = slice(None)) -> Array:
        parallel, overlap, overhead = self._combinations[:, chosen]
        waits = -(-work.tasks // max(1, min(concurrency, work.tasks))) * work.wait_ns
        computes = work.tasks * work.compute_ns / parallel
        result: Array = np.log(
            np.maximum(waits, computes) + overlap * np.minimum(waits, computes) + work.tasks * overhead
        )
        return result


class Surface:
    """One model's. `cases`: case → what it took there, of at least LEAST_CASES; `concurrency`: how many items it
    holds."""

    def __init__(self, cases: Mapping[str, Measured], concurrency: int, cores: int) -> None:
        self._cases = cases
        self._concurrency = concurrency
        self._shapes = _Shapes(cores)
        grid = {name: self._shapes.logs(case.work, concurrency) for name, case in cases.items()}
        self._off = {name: math.log(case.ns) - grid[name] for name, case in cases.items()}
        squares = {name: off**2 for name, off in self._off.items()}
        total = sum(squares.values(), self._shapes.doubts)
        self._chosen = int(np.argmin(total))
        self.misses = {
            name: self._log(case.work, int(np.argmin(total - squares[name])), name) - math.log(case.ns)
            for name, case in cases.items()
        }

    def log_ns(self, work: Work) -> float:
        """The logarithm of the estimated time in ns."""
        return self._log(work, self._chosen)

    def _log(self, work: Work, chosen: int, unseen: str = "") -> float:
        others = {name: case for name, case in self._cases.items() if name != unseen}
        weights = {name: 1 / max((work.distance(case.work) / _REACH) ** 2, 1e-9) for name, case in others.items()}
        correction = sum(weight * self._off[name][chosen] for name, weight in weights.items()) / (
            1 + sum(weights.values())
        )
        return float(self._shapes.logs(work, self._concurrency, chosen)) + float(correction)


def between(over: Surface, under: Surface, work: Work) -> Bounds:
    """Of the log ratio of two models there, as wide as the ratio of cases is missed that were not seen; without limit
    where too few cases have both."""
    value = over.log_ns(work) - under.log_ns(work)
    shared = sorted(over.misses.keys() & under.misses.keys())
    if len(shared) < LEAST_CASES:
        return Bounds(value, -math.inf, math.inf, -math.inf, math.inf, math.inf)
    missed = [over.misses[name] - under.misses[name] for name in shared]
    return Estimate(value, math.sqrt(math.fsum(miss**2 for miss in missed) / len(missed)), len(missed) - 1).bounds()

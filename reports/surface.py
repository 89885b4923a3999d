"""How long a model takes for n items that each wait and compute, between and near the sizes at which it was measured.

The shape is that of the work, not a polynomial: with k items alive together the waits take W = ⌈n / k⌉ × wait, the computing takes C = n × compute / P,
and the whole max(W, C) + α × min(W, C) + n × overhead. P, α and the overhead are fitted to the measured cases; what a case differs from the fit corrects
the answer near that case, so that at a measured size the answer is what was measured. The fit is repeated on resampled rounds, each time without one of
the cases, which shows how much the answer depends on any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DRAWS = 200
_SEED = 20_240_229
_PARALLEL = np.geomspace(0.1, 1.0, 24)  # of the cores
_OVERLAP = np.linspace(0.0, 1.0, 6)
_OVERHEAD = np.geomspace(1.0, 1e7, 57)  # ns of each item
_LEAST_WAIT_NS, _LEAST_COMPUTE_NS = 1e4, 1e2  # below these, sizes do not differ
_REACH = 0.5  # decades over which a measured case corrects the fit
_SAME = 0.01


@dataclass(frozen=True)
class Work:
    tasks: int
    wait_ns: float
    compute_ns: float  # of one task

    @property
    def place(self) -> Array:
        """In decades."""
        return np.log10([self.tasks, max(self.wait_ns, _LEAST_WAIT_NS), max(self.compute_ns, _LEAST_COMPUTE_NS)])

    def away_from(self, other: Work) -> float:
        """Decades of the parameter that differs most."""
        return float(np.abs(self.place - other.place).max())


@dataclass(frozen=True)
class Measured:
    """A case of one model: its work, and the time of each round in ns."""

    work: Work
    rounds: Mapping[int, float]


class _Shapes:
    """What the formula gives for every combination of the grids, or for some of them."""

    def __init__(self, cores: int) -> None:
        parallel, overlap, overhead = (grid.ravel() for grid in np.meshgrid(_PARALLEL, _OVERLAP, _OVERHEAD, indexing="ij"))
        self._combinations = np.array([parallel * cores, overlap, overhead])
        # Where the cases leave a choice: all cores, half overlapped, a microsecond.
        self.doubts = 0.002 * (np.log(parallel) ** 2 + (overlap - 0.5) ** 2 + (np.log(overhead / 1e3) / 3) ** 2)

    def logs(self, work: Work, at_once: int, chosen: NDArray[np.int64] | None = None) -> Array:
        parallel, overlap, overhead = self._combinations if chosen is None else self._combinations[:, chosen]
        waits = -(-work.tasks // max(1, min(at_once, work.tasks))) * work.wait_ns
        computes = work.tasks * work.compute_ns / parallel
        result: Array = np.log(np.maximum(waits, computes) + overlap * np.minimum(waits, computes) + work.tasks * overhead)
        return result


class Surface:
    """One model's. Needs at least one case with rounds."""

    def __init__(self, cases: Sequence[Measured], at_once: int, cores: int, without_one: bool = True, draws: int = DRAWS) -> None:
        self._cases = cases
        self._at_once = at_once
        self._shapes = _Shapes(cores)
        grid = np.array([self._shapes.logs(case.work, at_once) for case in cases])
        logs = _resampled(cases, draws)
        self._kept = np.ones((draws + 1, len(cases)), dtype=bool)
        if without_one and len(cases) > 2:
            for draw in range(1, draws + 1):
                if (left_out := draw % (len(cases) + 1)) < len(cases):
                    self._kept[draw, left_out] = False
        self._chosen = np.array([int(np.argmin(((grid - row[:, None])[keep] ** 2).sum(axis=0) + self._shapes.doubts)) for row, keep in zip(logs, self._kept, strict=True)])
        self._residuals = np.where(self._kept, logs - grid[:, self._chosen].T, 0.0)

    def at(self, work: Work, at_once: int | None = None) -> Array:
        """log ns: the estimate, then what it would have been in each draw. `at_once`: if fewer than usual can be alive together."""
        near = np.array([np.sum(((work.place - case.work.place) / _REACH) ** 2) for case in self._cases])
        weights = self._kept / np.maximum(near, 1e-9)
        correction = (weights * self._residuals).sum(axis=1) / (1 + weights.sum(axis=1))
        answer: Array = self._shapes.logs(work, self._at_once if at_once is None else at_once, self._chosen) + correction
        return answer


def _resampled(cases: Sequence[Measured], draws: int) -> Array:
    """Log medians, (1 + draws, cases): of all rounds, then of whole rounds drawn alike for all cases and models."""
    table = np.full((len(cases), max(number for case in cases for number in case.rounds) + 1), np.nan)
    for row, case in zip(table, cases, strict=True):
        for number, value in case.rounds.items():
            row[number] = np.log(value)
    plain = np.nanmedian(table, axis=1)
    result = [plain]
    for picks in np.random.default_rng(_SEED).integers(0, table.shape[1], (draws, table.shape[1])):
        picked = table[:, picks]
        seen = np.isfinite(picked).any(axis=1)
        medians = plain.copy()
        medians[seen] = np.nanmedian(picked[seen], axis=1)
        result.append(medians)
    return np.array(result)


def errors(cases: Sequence[Measured], at_once: int, cores: int) -> list[float]:
    """How far the surface misses each case when it has not seen it, as factors of at least 1."""
    if len(cases) < 3:
        return []
    missed = []
    for place, case in enumerate(cases):
        others = [*cases[:place], *cases[place + 1 :]]
        guess = Surface(others, at_once, cores, draws=0).at(case.work)[0]
        missed.append(float(np.exp(abs(guess - np.log(np.median(list(case.rounds.values())))))))
    return missed


def same(a: Work, b: Work) -> bool:
    return a.away_from(b) < _SAME

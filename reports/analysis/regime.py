"""Waiting against computing: the cases of `mixed` placed by how much of a task is waiting and how long it takes, and
the safe choice between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.spatial import ConvexHull, QhullError

from reports.analysis.crossings import Overtaking, lines, overtakings
from reports.cases.cases import Analysis, Case, Row
from reports.cases.load import withheld
from reports.cases.regret import regrets
from reports.cases.step_cost import step_ns

WORKLOAD = "mixed"
MANY = 1000  # tasks
Grid = NDArray[np.float64]
_FAR = math.log(50.0)  # a ratio that decides against a model anywhere near


@dataclass(frozen=True)
class Place:
    """One case. `wait_ns` and `compute_ns` are those of one task, alone on a core."""

    case: Case
    wait_ns: float
    compute_ns: float

    @property
    def x(self) -> float:
        """log10 of 1/(1 - wait share): 0 for none, 1 for 90 %, 2 for 99 %."""
        return math.log10(1 + self.wait_ns / self.compute_ns)

    @property
    def y(self) -> float:
        """log10 of the nanoseconds that a task takes."""
        return math.log10(self.wait_ns + self.compute_ns)


@dataclass(frozen=True)
class Surface:
    """Over a grid: which competing model is the safe choice, and how far it may be from the best. Valid inside
    `outline` only."""

    models: tuple[str, ...]
    xs: Grid
    ys: Grid
    # model, y, x: by how much (log) its regret is above the least of the others; below 0 where the model is the safe
    # choice
    behind: Grid
    regret: Grid  # y, x: of the safe choice, log of 1 + share
    inside: NDArray[np.bool_]  # y, x: between measured places
    outline: tuple[tuple[float, float], ...]  # around the measured places


@dataclass(frozen=True)
class Regime:
    """What was measured with one number of tasks."""

    tasks: int
    places: tuple[Place, ...]
    # with the place of the crossing, and those of its interval
    overtakings: tuple[tuple[Overtaking, Place, Place, Place], ...]
    surface: Surface | None  # None where the places span no area


def regimes(analysis: Analysis, metric: str) -> tuple[Regime, ...]:
    """For few tasks and for many: of each the number of tasks with the most cases. None where nothing is judged by that
    metric."""
    row = next((row for row in analysis.rows if row.workload.id == WORKLOAD), None)
    cost_ns = step_ns(row.cases) if row else None
    if row is None or cost_ns is None or withheld(analysis.run, metric):
        return ()
    groups: dict[int, list[Place]] = {}
    for case in row.cases:
        if case.params["steps"] > 0 and case.verdicts[metric].ratios:
            groups.setdefault(case.params["tasks"], []).append(
                _place(case, case.params["wait_us"], case.params["steps"], cost_ns)
            )
    chosen = []
    for many in (False, True):
        side = [tasks for tasks in groups if (tasks >= MANY) == many]
        if side:
            chosen.append(max(side, key=lambda tasks: (len(groups[tasks]), tasks)))
    return tuple(
        Regime(tasks, tuple(groups[tasks]), _overtakings(row, tasks, metric, cost_ns), _surface(groups[tasks], metric))
        for tasks in chosen
    )


def _place(case: Case, wait_us: float, steps: float, cost_ns: float) -> Place:
    return Place(case, 1000.0 * wait_us, steps * cost_ns)


def _overtakings(
    row: Row, tasks: int, metric: str, cost_ns: float
) -> tuple[tuple[Overtaking, Place, Place, Place], ...]:
    found = []
    for key in ("wait_us", "steps"):
        for line in lines(row, key):
            case = line.cases[0][1]
            if case.params["tasks"] != tasks:
                continue
            for overtaking in overtakings(line, metric):
                crossing = overtaking.crossing
                where = [{**case.params, key: value} for value in (crossing.at, crossing.low, crossing.high)]
                at, low, high = (_place(case, params["wait_us"], params["steps"], cost_ns) for params in where)
                found.append((overtaking, at, low, high))
    return tuple(found)


def _surface(places: Sequence[Place], metric: str) -> Surface | None:
    """Linear between the places, in logarithms."""
    models = tuple(
        sorted({m for place in places for m in place.case.competing if m in place.case.verdicts[metric].ratios})
    )
    where = np.array([(place.x, place.y) for place in places])
    if len(models) < 2 or len(where) < 3 or np.ptp(where[:, 0]) < 0.1 or np.ptp(where[:, 1]) < 0.1:
        return None
    xs, ys = (np.linspace(where[:, side].min(), where[:, side].max(), 81) for side in (0, 1))
    points = np.stack(np.meshgrid(xs, ys), axis=-1)
    try:
        outline = where[ConvexHull(where).vertices]
    except QhullError:  # all on one line
        return None
    logs = np.stack([_between(where, _logs(places, model, metric), points) for model in models])
    doubts = np.stack([_between(where, _doubts(places, model, metric), points) for model in models])
    bounds = logs - logs.min(axis=0) + doubts
    order = np.sort(bounds, axis=0)
    inside = ~np.isnan(LinearNDInterpolator(where, np.zeros(len(where)), rescale=True)(points))
    behind = bounds - np.where(bounds == order[0], order[1], order[0])
    return Surface(models, xs, ys, behind, order[0], inside, tuple((float(x), float(y)) for x, y in outline))


def _between(where: Grid, values: Grid, points: Grid) -> Grid:
    """Linear inside the places; outside as at the nearest one, so that what is drawn can be cut off at the outline."""
    inside = LinearNDInterpolator(where, values, rescale=True)(points)
    found: Grid = np.where(np.isnan(inside), NearestNDInterpolator(where, values, rescale=True)(points), inside)
    return found


def _logs(places: Sequence[Place], model: str, metric: str) -> Grid:
    """Of the ratio to the best; a model that was not measured is far behind."""
    ratios = [place.case.verdicts[metric].ratios.get(model) for place in places]
    return np.array([_FAR if ratio is None else min(math.log(ratio.value), _FAR) for ratio in ratios])


def _doubts(places: Sequence[Place], model: str, metric: str) -> Grid:
    """How far the bound of its regret lies above that."""
    found = [math.log1p(regrets(place.case, metric).get(model, math.inf)) for place in places]
    return np.array(
        [max(0.0, min(bound, _FAR) - log) for bound, log in zip(found, _logs(places, model, metric), strict=True)]
    )

"""Predicts what cells cost and which are too expensive: projection, early stops, what fits. Pure: no clock, no
process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from driver.session.cells import REPRESENTATIVE, Cell, Event, by_case
from driver.session.preset import NAMED_ROUNDS
from vocabulary.latency import OPEN_LOOP, OTHERWISE, values_wanted
from vocabulary.looks import looks_of

SCREEN_ROUNDS = 3
CLEARLY = 2.5  # times slower
DEAR_NS, VERY_DEAR_NS = 25_000_000, 1_000_000_000  # of a sample: below, the first look costs less than a wrong guess
OVERHEAD_NS = 500_000  # of asking for a sample, verifying and storing it
_ENOUGH = 1.3  # times what is wanted, where one iteration has fewer values than another
# then its model starts anew: what differs between two processes of one program must be seen to be told from what
# differs between models
ROUNDS_OF_A_PROCESS = 6
_DEAR_CHECK_NS = 100_000_000  # a longer check pass of a new process is a lost round
_CHECKED_EVERY = 3  # rounds of what is cheap, on average over the first ones and those after them
_TASKS_ENOUGH = 50  # to tell what one costs
_FIXED_NS = 500_000  # of a measured time may be waking a pool: it does not grow with the work


def _no_larger(small: Cell, large: Cell) -> bool:
    own = large.case.params
    return all(value <= own.get(name, 0) for name, value in small.case.params.items())


@dataclass(frozen=True)
class Prediction:
    """At least how long one iteration takes, and from what that follows."""

    single_ns: int
    why: str
    scaled: bool  # from a measurement, so with a doubt


def _least(cell: Cell, others: Iterable[Cell]) -> Prediction:
    """What the model says of itself, or what its tasks have cost at least where they had nothing to do: a process for
    each is slow everywhere."""
    idle = [
        other
        for other in others
        if other.model == cell.model and other.case.kind == "coordination" and other.scheduled >= _TASKS_ENOUGH
    ]
    task_ns = min(
        (other.state.single_ns / other.scheduled for other in idle if other.state.single_ns is not None), default=0
    )
    if task_ns * cell.scheduled > cell.least_ns:
        return Prediction(
            round(task_ns * cell.scheduled), f"{cell.scheduled} tasks as dear as the cheapest so far", scaled=True
        )
    return Prediction(cell.least_ns, "the least time that the model's concurrency allows", scaled=False)


def predict(cell: Cell, others: Sequence[Cell]) -> Prediction:
    """As it was measured before on this host; else from the least that its tasks take, or from the nearest case of the
    same model and workload of which no param is larger.

    What a smaller case takes beyond its bound is taken to grow with the work or with the bound, whichever grows more:
    exact for a model that does one thing after the other, and next to nothing for one that waits for all at once.
    """
    if cell.known_ns is not None:
        return Prediction(max(cell.known_ns, cell.least_ns), "as measured before on this host", scaled=False)
    bound = _least(cell, others)
    nearest, nearest_ratio = None, 0.0
    for other in others:
        if other is cell or other.model != cell.model or other.case.workload != cell.case.workload or not other.units:
            continue
        ratios = [cell.units / other.units]
        if cell.bound_ns and other.bound_ns:
            ratios.append(cell.bound_ns / other.bound_ns)
        measured = other.state.single_ns if other.state.single_ns is not None else other.state.projected_ns
        if measured is None or min(ratios) < 1 or not _no_larger(other, cell):  # it says nothing about this one
            continue
        if nearest is None or max(ratios) < nearest_ratio:
            nearest, nearest_ratio = other, max(ratios)
    if nearest is None:
        return bound
    measured = nearest.state.single_ns if nearest.state.single_ns is not None else nearest.state.projected_ns or 0
    grows = max(0, measured - (nearest.bound_ns or 0) - _FIXED_NS)
    scaled = (cell.bound_ns or 0) + round(grows * nearest_ratio)
    if scaled <= bound.single_ns:
        return bound
    return Prediction(scaled, f"from {nearest.case.name.partition('/')[2]}", scaled=True)


def iterations_for(target_ns: int, single_ns: int) -> int:
    """How many iterations take about the target."""
    return max(1, round(target_ns / max(1, single_ns)))


def least_iterations(cell: Cell, samples: Sequence[Event]) -> int:
    """Latency is compared by a percentile, for which a sample must have values enough: as many as these `samples` had
    in an iteration."""
    measured = [sample for sample in samples if sample.get("latency") is not None]
    if cell.case.metric != "latency" or not measured:
        return 1
    found = min(sum(count for _, count in sample["latency"]["intended"]) / sample["iterations"] for sample in measured)
    wanted = values_wanted(OPEN_LOOP) if cell.case.paced_by else _ENOUGH * values_wanted(OTHERWISE)
    return math.ceil(wanted / max(1.0, found))


def sample_cost_ns(cell: Cell) -> int:
    """What the next sample will take, with what is done around it and not measured: as its last ones did."""
    recent: list[int] = [sample["asked_ns"] for sample in cell.state.samples[-3:]]
    return (
        round(median(recent))
        if recent
        else OVERHEAD_NS + (cell.state.iterations or 1) * (cell.state.asked_ns or cell.state.single_ns or 0)
    )


def first_rounds(cell: Cell) -> int:
    """How many it has in any case."""
    return looks_of(cell.case.metric)[0]


def _least_cost_ns(cells: Sequence[Cell]) -> dict[str, int]:
    """Of each cell, by its id, the rounds that it will need at least. One that is clearly slower than the best of its
    case will probably be stopped after the screening."""
    best = {name: min(cell.state.single_ns or 0 for cell in models) for name, models in by_case(cells).items()}
    slow = {
        cell.id
        for cell in cells
        if (cell.state.single_ns or 0) > max(VERY_DEAR_NS if cell.followed else DEAR_NS, CLEARLY * best[cell.case.name])
    }
    return {
        cell.id: sample_cost_ns(cell)
        * ((SCREEN_ROUNDS if cell.id in slow else first_rounds(cell)) - len(cell.state.samples))
        for cell in cells
    }


@dataclass(frozen=True)
class Excess:
    """What does not fit the budget."""

    left_out: list[Cell]  # whole models, for others to be measured well
    projected: list[Cell]  # for what they cost themselves


def excess(cells: Sequence[Cell], budget_ns: int) -> Excess:
    """The fewest cells without which the least rounds of all others fit the budget: first whole models, by rank, then
    the costliest cells, and of each case the two cheapest last of all: they stay where the user named the case, as one
    alone says nothing.
    """
    costs = _least_cost_ns(cells)

    def cost(cell: Cell) -> int:
        return costs[cell.id]

    found = Excess([], [])
    kept = list(cells)
    extras: dict[tuple[int, str], list[Cell]] = {}
    for cell in cells:
        if cell.rank and not cell.in_front:
            extras.setdefault((cell.rank, cell.model), []).append(cell)
    for (_, model), of_model in sorted(
        extras.items(), key=lambda extra: (extra[0][0], sum(map(cost, extra[1]))), reverse=True
    ):
        if sum(map(cost, kept)) <= budget_ns:
            return found
        found.left_out.extend(of_model)
        kept = [cell for cell in kept if not cell.rank or cell.in_front or cell.model != model]
    cheapest = {cell.id for models in by_case(kept).values() for cell in sorted(models, key=cost)[:2]}
    for cell in sorted(kept, key=lambda cell: (cell.id in cheapest, -cost(cell))):
        if sum(map(cost, kept)) <= budget_ns or (cell.named and cell.id in cheapest):
            break
        found.projected.append(cell)
        kept.remove(cell)
    return found


def rounds_of_a_process(cell: Cell, first_of_a_process: int) -> int:
    """How many it takes before the first look until its model starts anew."""
    return ROUNDS_OF_A_PROCESS if (cell.state.check_ns or 0) > _DEAR_CHECK_NS else first_of_a_process


def promised(cells: Sequence[Cell], budget_ns: int) -> dict[str, int]:
    """Of the cells that the user named, by their ids, the rounds that they have whatever the looks say: NAMED_ROUNDS,
    or at least the first ones, as far as those fit beside the least rounds of all others: case by case, the cheapest
    first."""
    costs = _least_cost_ns(cells)
    left_ns = budget_ns - sum(costs.values())
    found: dict[str, int] = {}
    for models in sorted(
        by_case(cell for cell in cells if cell.named and not cell.shown_only).values(),
        key=lambda models: sum(map(sample_cost_ns, models)),
    ):
        for rounds in (NAMED_ROUNDS, first_rounds(models[0])):
            more_ns = sum(_rounds_cost_ns(cell, rounds) - costs[cell.id] for cell in models)
            if more_ns <= left_ns:
                left_ns -= more_ns
                found |= {cell.id: rounds for cell in models}
                break
    return found


def _rounds_cost_ns(cell: Cell, rounds: int) -> int:
    """From now on, with the check passes of the processes that take them."""
    return (rounds - len(cell.state.samples)) * sample_cost_ns(cell) + rounds // rounds_of_a_process(
        cell, _CHECKED_EVERY
    ) * (cell.state.check_ns or 0)


def _wall(sample: Event) -> float:
    return float(sample["wall_ns"] / sample["iterations"])


def _cpu(sample: Event) -> float:
    return float((sample["cpu_user_ns"] + sample["cpu_sys_ns"]) / sample["iterations"])


def clearly_slower(dear: Sequence[Cell], competing: Sequence[Cell]) -> Mapping[str, str]:
    """The ids of the `dear` cells of one case whose first SCREEN_ROUNDS say that more would be wasted, with the reason.

    Slower: its fastest sample is 2.5 times the slowest of the best that competes. Simulated with eight equal models
    (log-normal rounds with a shared part, 5 % of them 2 to 10 times slow) three rounds say so by chance in under 0.1 %
    of cases up to a CV of 30 %; a factor of 2 does in 0.25 %. What has been promised more rounds stays. What competes
    and is slow in time but not in CPU may win on CPU cost, so it stays, and so does what a claim or a native twin's
    ratio rests on, unless it is very dear.
    """
    judged = [cell for cell in competing if cell.state.waits and len(cell.state.samples) >= SCREEN_ROUNDS]
    if not judged or judged[0].case.metric not in ("time", "cpu"):
        return {}
    reasons = {}
    fastest = min(judged, key=lambda cell: median(map(_wall, cell.state.samples)))
    slowest, dearest = max(map(_wall, fastest.state.samples)), max(
        map(_cpu, min(judged, key=lambda cell: median(map(_cpu, cell.state.samples))).state.samples)
    )
    for cell in dear:
        if (
            cell.in_front
            or cell.state.promised > SCREEN_ROUNDS
            or len(cell.state.samples) != SCREEN_ROUNDS
            or sample_cost_ns(cell) < (VERY_DEAR_NS if cell.followed else DEAR_NS)
        ):
            continue
        least = min(map(_wall, cell.state.samples))
        if least > CLEARLY * slowest and (
            cell.rank != REPRESENTATIVE
            or (not cell.followed and min(map(_cpu, cell.state.samples)) > CLEARLY * dearest)
        ):
            reasons[cell.id] = (
                f"its fastest of {SCREEN_ROUNDS} rounds, {least / 1e6:.3g} ms, is over {CLEARLY} times the slowest of"
                f" {fastest.model}, {slowest / 1e6:.3g} ms"
            )
    return reasons

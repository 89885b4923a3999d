"""Which model for this work? From the mixed cases of a run: the estimate for each model, what is about as fast, and where the choice would flip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from reports import quantities
from reports.analysis import Analysis, Case
from reports.representatives import BASELINE
from reports.run import Model
from reports.statistics import CONFIDENCE, MARGIN, Ratio
from reports.surface import Array, Measured, Surface, Work, errors

LEAST_CASES = 2
_STEPS = 60  # along each parameter, in the search for a flip
_FAR = 1.0  # decades from the nearest measured case in one parameter


class NoAdvice(Exception):
    """One line: what the run lacks, and which run has it."""


@dataclass(frozen=True)
class Question:
    work: Work
    blocking_library: bool = False
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Estimate:
    model: str
    time_ns: float
    low_ns: float
    high_ns: float
    ratio: Ratio  # to the recommended one
    cpu_ns: float
    memory_bytes: float | None


@dataclass(frozen=True)
class Flip:
    """Beyond `at` another model is faster; `low` and `high`: where that may be, None: perhaps nowhere in the range."""

    parameter: str
    upwards: bool
    at: float
    low: float | None
    high: float | None
    to: str


@dataclass(frozen=True)
class Advice:
    question: Question
    recommended: Estimate
    near: tuple[Estimate, ...]  # not shown to be more than the margin slower
    slower: tuple[Estimate, ...]
    baseline: Estimate | None
    excluded: tuple[tuple[str, str], ...]  # model, why
    flips: tuple[Flip, ...]
    nearest: Case
    nearest_work: Work
    outside: tuple[str, ...]  # how the question lies outside of what was measured
    cases: int
    missed: float | None  # by what factor the surface misses a case that it has not seen, in the middle


@dataclass(frozen=True)
class _Contender:
    model: Model
    time: Surface
    cpu: Surface
    at_once: int  # that can wait together in this question
    memory: tuple[tuple[int, float], ...]  # alive together → bytes, rising

    def times(self, work: Work) -> Array:
        return self.time.at(work, self.at_once)

    def memory_for(self, tasks: int) -> float | None:
        if not self.memory:
            return None
        alive = min(tasks, self.model.at_once or tasks)
        most, there = self.memory[-1]
        return there * alive / most if alive > most else float(np.interp(alive, [tasks for tasks, _ in self.memory], [held for _, held in self.memory]))


def advise(analysis: Analysis, question: Question) -> Advice:
    """Raises NoAdvice."""
    cases = [case for row in analysis.rows if row.workload.id == "mixed" for case in row.cases if _all_at_once(case)]
    step_ns = _step_ns(cases)
    works = {case.id: Work(case.params["tasks"], case.params["wait_us"] * 1e3, case.params["steps"] * step_ns) for case in cases}
    names = sorted(set().union(*(case.competing for case in cases)))
    found, excluded = _contenders(analysis, question, cases, works, names)
    if not found:
        raise NoAdvice("; ".join(f"{model}: {why}" for model, why in excluded) + ": measure more with scripts/crossover run --full")
    nearest = min(cases, key=lambda case: question.work.away_from(works[case.id]))
    estimates = _estimates(found, question.work)
    baseline, _ = _contenders(analysis, replace(question, blocking_library=False, memory_bytes=None), cases, works, [BASELINE])
    missed = [miss for contender in found for miss in _misses(analysis, contender, cases, works)]
    return Advice(
        question,
        recommended=estimates[0],
        near=tuple(e for e in estimates[1:] if e.ratio.low is not None and e.ratio.low <= MARGIN),
        slower=tuple(e for e in estimates[1:] if e.ratio.low is not None and e.ratio.low > MARGIN),
        baseline=_estimates([_of(found, estimates[0].model), *baseline], question.work, estimates[0].model)[-1] if baseline else None,
        excluded=tuple(excluded),
        flips=tuple(_flips(found, estimates[0].model, question.work, list(works.values()))),
        nearest=nearest,
        nearest_work=works[nearest.id],
        outside=tuple(_outside(question.work, list(works.values()), works[nearest.id])),
        cases=len(cases),
        missed=median(missed) if missed else None,
    )


def _all_at_once(case: Case) -> bool:
    p = case.params
    return {"tasks", "wait_us", "steps", "in_flight"} <= p.keys() and bool(p["in_flight"] >= p["tasks"] > 0)


def _of(contenders: Sequence[_Contender], model: str) -> _Contender:
    return next(contender for contender in contenders if contender.model.id == model)


def _step_ns(cases: Sequence[Case]) -> float:
    """What a step of the computing costs on that machine: the least CPU time per step in the case with the most steps."""
    measured = [case for case in cases if case.params["steps"] and case.medians["cpu"]]
    if not measured:
        raise NoAdvice("this run measured no mixed case: scripts/crossover run --full --workloads mixed,idle_tasks,blocking_call does")
    most = max(measured, key=lambda case: (case.params["steps"], case.params["tasks"]))
    return min(most.medians["cpu"].values()) / (most.params["tasks"] * most.params["steps"])


def _contenders(
    analysis: Analysis, question: Question, cases: Sequence[Case], works: Mapping[str, Work], names: Sequence[str]
) -> tuple[list[_Contender], list[tuple[str, str]]]:
    cores = int(analysis.run.run.get("cores") or 1)
    found, excluded = [], []
    for name in names:
        model = analysis.run.model(name)
        times, cpu = _measured(cases, works, name, "time"), _measured(cases, works, name, "cpu")
        if len(times) < LEAST_CASES:
            excluded.append((name, f"measured in {len(times)} of {len(cases)} mixed cases"))
            continue
        at_once = model.at_once or question.work.tasks
        if question.blocking_library:
            blocked = _blocking_at_once(analysis, model)
            if blocked is None:
                excluded.append((name, "this run did not measure it with a library that blocks (blocking_call)"))
                continue
            at_once = min(at_once, blocked)
        exact = any(question.work.away_from(case.work) < 0.01 for case in times)
        contender = _Contender(
            model,
            Surface(times, model.at_once or question.work.tasks, cores, without_one=not exact),
            Surface([Measured(replace(case.work, wait_ns=0.0), case.rounds) for case in cpu], question.work.tasks, 1, without_one=not exact),
            at_once,
            _memory(analysis, model),
        )
        needed = contender.memory_for(question.work.tasks)
        if question.memory_bytes is not None and needed is None:
            excluded.append((name, "this run did not measure its memory"))
        elif question.memory_bytes is not None and needed is not None and needed > question.memory_bytes:
            excluded.append((name, f"needs about {quantities.size(needed)}"))
        else:
            found.append(contender)
    return found, excluded


def _measured(cases: Sequence[Case], works: Mapping[str, Work], model: str, metric: str) -> list[Measured]:
    cells = [(works[case.id], case.cells.get(model)) for case in cases]
    return [Measured(work, rounds) for work, cell in cells if cell is not None and cell.status == "ok" and (rounds := cell.by_round(metric))]


def _misses(analysis: Analysis, contender: _Contender, cases: Sequence[Case], works: Mapping[str, Work]) -> list[float]:
    times = _measured(cases, works, contender.model.id, "time")
    return errors(times, contender.model.at_once or 1, int(analysis.run.run.get("cores") or 1))


def _blocking_at_once(analysis: Analysis, model: Model) -> int | None:
    """How many calls of a library that blocks the model makes at once: by itself, or where it has an executor through that."""
    best = None
    for workload in ("blocking_call", "blocking_call_offloaded"):
        for case in (case for row in analysis.rows if row.workload.id == workload for case in row.cases):
            cell, time = case.cells.get(model.id), case.medians["time"].get(model.id)
            if cell is None or cell.status != "ok" or not time:
                continue
            seen = case.params["calls"] * case.params["block_us"] * 1e3 / time
            width = model.at_once if workload == "blocking_call" else model.resources.get("threads", 1) * model.resources.get("processes", 1)
            together = max(1, round(seen) if 2 * seen < case.params["calls"] else int(width or 1))
            best = max(best or 0, together)
    return best


def _memory(analysis: Analysis, model: Model) -> tuple[tuple[int, float], ...]:
    most: dict[int, float] = {}
    for row in analysis.rows:
        if row.workload.id in ("mixed", "idle_tasks"):
            for case in row.cases:
                if (held := case.medians["memory"].get(model.id)) is not None:
                    alive = min(case.params["tasks"], model.at_once or case.params["tasks"])
                    most[alive] = max(most.get(alive, 0.0), held)
    return tuple(sorted(most.items()))


def _estimates(contenders: Sequence[_Contender], work: Work, reference: str = "") -> list[Estimate]:
    """Fastest first, with the ratio to it; with a `reference` in the given order, and to that."""
    times = {contender.model.id: contender.times(work) for contender in contenders}
    order = sorted(contenders, key=lambda c: (times[c.model.id][0], c.model.id)) if not reference else contenders
    first = times[reference or order[0].model.id]
    return [_estimate(contender, times[contender.model.id], first, work) for contender in order]


def _estimate(contender: _Contender, logs: Array, first: Array, work: Work) -> Estimate:
    low, high = _interval(logs)
    ratio_low, ratio_high = _interval(logs - first)
    cpu = float(np.exp(contender.cpu.at(replace(work, wait_ns=0.0))[0]))
    ratio = Ratio(float(np.exp(logs[0] - first[0])), ratio_low, ratio_high)
    return Estimate(contender.model.id, float(np.exp(logs[0])), low, high, ratio, cpu, contender.memory_for(work.tasks))


def _interval(logs: Array) -> tuple[float, float]:
    low, high = np.exp(np.quantile(logs, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    return float(low), float(high)


def _flips(contenders: Sequence[_Contender], chosen: str, work: Work, measured: Sequence[Work]) -> list[Flip]:
    """The nearest change of the fastest model in each direction of each parameter, within what was measured."""
    flips = []
    for parameter in ("tasks", "wait_ns", "compute_ns"):
        here = float(getattr(work, parameter))
        values = [float(getattr(other, parameter)) for other in measured if getattr(other, parameter) > 0]
        for upwards, end in ((False, min(values, default=here)), (True, max(values, default=here))):
            if here > 0 and (end > here * 1.02 if upwards else end < here / 1.02):
                flip = _first_flip(contenders, chosen, work, parameter, np.geomspace(here, end, _STEPS), upwards)
                flips += [flip] if flip else []
    return flips


def _first_flip(contenders: Sequence[_Contender], chosen: str, work: Work, parameter: str, path: Array, upwards: bool) -> Flip | None:
    places = [replace(work, **{parameter: max(1, round(value)) if parameter == "tasks" else float(value)}) for value in path]
    curves = {contender.model.id: np.array([contender.times(place) for place in places]) for contender in contenders}
    best = [min(curves, key=lambda model: (curves[model][step, 0], model != chosen)) for step in range(len(path))]
    first = next((step for step, model in enumerate(best) if model != chosen), None)
    if first is None:
        return None
    ahead = curves[best[first]] < curves[chosen]  # (steps, draws)
    where = np.where(ahead.any(axis=0), np.argmax(ahead, axis=0), len(path))
    ends = np.quantile(where, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], method="nearest").astype(int)
    nearer, further = (float(path[end]) if end < len(path) else None for end in ends)
    low, high = (nearer, further) if upwards else (further, nearer)
    return Flip(parameter, upwards, float(path[first]), low, high, best[first])


def _outside(work: Work, measured: Sequence[Work], nearest: Work) -> list[str]:
    found = []
    shows: list[tuple[str, str, Callable[[float], str]]] = [("tasks", "tasks", "{:,.0f}".format), ("wait_ns", "wait", quantities.duration), ("compute_ns", "compute", quantities.duration)]
    for parameter, name, shown in shows:
        value, values = getattr(work, parameter), [getattr(other, parameter) for other in measured]
        if not min(values) / 1.02 <= value <= max(values) * 1.02:
            found.append(f"{name} {shown(value)} (measured {shown(min(values))} to {shown(max(values))})")
    if not found and work.away_from(nearest) > _FAR:
        found.append("the nearest measured case differs more than tenfold in one parameter")
    return found

"""Which model for this work? The verdict of a measured mix, an estimate with its bound between measured mixes, and no
answer beyond them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.analysis import mixes
from reports.analysis.estimating import estimated
from reports.analysis.mixes import Memory, Mix
from reports.analysis.surface import LEAST_CASES, Measured, Surface, Work
from reports.cases import quantities
from reports.cases.appearance import ordered
from reports.cases.cases import Analysis, Case, verdict_among
from reports.cases.load import withheld
from reports.cases.phrases import absence, leaders, listed
from reports.cases.run import Model, Run
from verdicts.deciding import Verdict

_LIKE_RANGE = 1.02  # of a parameter: rounded, it is still inside


class NoAdvice(Exception):
    """What the run lacks, in one line that wants a remedy behind it."""


@dataclass(frozen=True)
class Question:
    """A mix of work and its limits, which ask for a model."""

    work: Work
    blocking_library: bool = False
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Option:
    """A model at the mix."""

    model: str
    time_ns: float  # of all tasks
    cpu_ns: float | None  # of all tasks
    memory_bytes: float | None
    tail_ns: int | None


@dataclass(frozen=True)
class Advice:
    """What the measured cases say to a question."""

    question: Question
    basis: Literal["measured", "estimated", "outside"]
    verdict: Verdict  # by time, among those that the question allows; of the nearest case, unless it is estimated
    nearest: Mix
    cases: int  # measured
    # the best set, its safe choice first, then the slower ones; of the nearest case, unless estimated
    options: tuple[Option, ...]
    by_cpu: Verdict | None  # where time is not judged, because the machine had too much else to do
    # of the best set the one that needs less CPU than all others, and its share of the next
    cheapest: tuple[str, float] | None
    leanest: tuple[str, float] | None  # the same by memory
    left_out: tuple[tuple[str, str], ...]  # model, why
    outside: tuple[str, ...]  # why nothing is estimated
    tails: Case | None  # in which the 99th percentiles were measured
    missed: float | None  # of an estimate: by what factor the surfaces miss cases that they have not seen

    @property
    def work(self) -> Work:
        """Of which the figures speak."""
        return self.question.work if self.basis == "estimated" else self.nearest.work

    @property
    def answers(self) -> bool:
        """The run knows the mix."""
        return self.basis != "outside"


def advise(analysis: Analysis, question: Question, step_ns: float | None = None) -> Advice:
    """Raises NoAdvice. `step_ns`: what a step of computing takes there, if it was measured by itself."""
    models = mixes.advisable(analysis.run)
    found = [mix for mix in mixes.mixes(analysis, step_ns) if mix.measured & models.keys()]
    if not found:
        raise NoAdvice("no mixed case was measured")
    tried = set().union(*(mix.tried for mix in found)) & models.keys()
    if len(tried) == 1:
        raise NoAdvice(f"mixed cases were measured on {listed(sorted(tried))} only, which leaves nothing to compare")
    allowed, left_out = _limits(analysis, question, {id: models[id] for id in ordered(tried)})
    if not allowed:
        raise NoAdvice(f"no answer within these limits ({'; '.join(f'{model}: {why}' for model, why in left_out)})")
    comparing = [
        mix
        for mix in found
        if mix.measured & allowed.keys() and len(mix.tried & allowed.keys()) >= min(2, len(allowed))
    ]
    if not comparing:
        raise NoAdvice(f"no two of {listed(list(allowed))} were measured in the same mixed case")
    left_out += [(model.id, model.reason) for model in models.values() if model.status != "ok"]
    nearest = min(comparing, key=lambda mix: (question.work.distance(mix.work), mix.case.id))
    if question.work.near(nearest.work):
        return _of_case(analysis, question, nearest, allowed, left_out, len(comparing))
    alike = [mix for mix in comparing if mix.work.waits == question.work.waits]
    outside = _outside(analysis.run, question.work, nearest, alike)
    if not outside:
        return _estimated(analysis, question, nearest, alike, allowed, left_out)
    return _of_case(analysis, question, nearest, allowed, left_out, len(comparing), tuple(outside))


def _limits(
    analysis: Analysis, question: Question, models: Mapping[str, Model]
) -> tuple[dict[str, Model], list[tuple[str, str]]]:
    """The models that the question allows, and why not the others."""
    allowed, left_out = {}, []
    for id, model in models.items():
        why = _blocked(question.work, model) if question.blocking_library else ""
        if not why and question.memory_bytes is not None:
            needed = Memory(analysis, model).bytes_for(question.work.tasks)
            if needed is None:
                why = f"its memory with {question.work.tasks:,} tasks was not measured"
            elif needed > question.memory_bytes:
                why = f"needs {quantities.size(needed)}"
        if why:
            left_out.append((id, why))
        else:
            allowed[id] = model
    return allowed, left_out


def _blocked(work: Work, model: Model) -> str:
    """Why it gains nothing where each wait holds a thread. Empty: nothing waits, or each of its tasks has a thread or a
    process of its own."""
    own = max(model.resources.get("threads", 1), model.resources.get("processes", 1))
    if not work.wait_ns or (model.guaranteed_concurrency is not None and model.guaranteed_concurrency <= own):
        return ""
    together = own + model.resources.get("executor_threads", 0)
    least_ns = -(-work.tasks // together) * work.wait_ns
    return (
        f"at most {quantities.counted(together, 'blocking call')} at once, so that the waits alone take"
        f" {quantities.duration(least_ns)}"
    )


def _outside(run: Run, work: Work, nearest: Mix, alike: Sequence[Mix]) -> list[str]:
    """Why there is no estimate: one that nothing checks is a guess."""
    if reason := withheld(run, "time"):
        return [reason]
    if len(alike) < LEAST_CASES:
        kind = "wait" if work.waits else "do not wait"
        return [
            f"{quantities.counted(len(alike), 'measured case')} with tasks that {kind}, and an estimate between cases"
            f" needs {LEAST_CASES}"
        ]
    found = []
    shows: tuple[tuple[str, str, Callable[[float], str]], ...] = (
        ("tasks", "tasks", "{:,.0f}".format),
        ("wait_ns", "wait", quantities.duration),
        ("compute_ns", "computing", quantities.duration),
    )
    for parameter, name, shown in shows:
        value, values = getattr(work, parameter), [getattr(mix.work, parameter) for mix in alike]
        if not min(values) / _LIKE_RANGE <= value <= max(values) * _LIKE_RANGE:
            found.append(f"{name} {shown(value)}, measured from {shown(min(values))} to {shown(max(values))}")
    reach = max(min(mix.work.distance(other.work) for other in alike if other is not mix) for mix in alike)
    if not found and work.distance(nearest.work) > reach:
        found.append("it is further from the nearest measured case than these are from each other")
    return found


def _of_case(
    analysis: Analysis,
    question: Question,
    mix: Mix,
    allowed: Mapping[str, Model],
    left_out: list[tuple[str, str]],
    cases: int,
    outside: tuple[str, ...] = (),
) -> Advice:
    """What was measured in a case, which is the answer if it lies where the question does."""
    case, run = mix.case, analysis.run
    verdict = verdict_among(set(allowed), case, "time", run)
    tails = mixes.tails(analysis, mix.measured & allowed.keys())
    unmeasured = [
        (model, absence(case.cells[model]) if model in case.cells else "not measured there")
        for model in allowed
        if model not in mix.measured and model not in verdict.slower
    ]
    medians = case.medians
    options = [
        Option(
            model, medians["time"][model], medians["cpu"].get(model), medians["memory"].get(model), tails.ns.get(model)
        )
        for model in _in_order(verdict, mix.measured & allowed.keys())
        if model in medians["time"]
    ]
    close = set(leaders(verdict))
    cheapest, leanest = (
        _least(verdict_among(close, case, metric, run), medians[metric]) if len(close) > 1 else None
        for metric in ("cpu", "memory")
    )
    by_cpu = verdict_among(set(allowed), case, "cpu", run) if withheld(run, "time") else None
    basis: Literal["measured", "outside"] = "outside" if outside else "measured"
    return Advice(
        question,
        basis,
        verdict,
        mix,
        cases,
        tuple(options),
        by_cpu,
        cheapest,
        leanest,
        tuple(left_out + unmeasured),
        outside,
        tails.case,
        None,
    )


def _in_order(verdict: Verdict, measured: set[str]) -> list[str]:
    """The safe choice, who cannot be told from the best, in an order that noise does not change, then the slower ones,
    and who has no ratio."""
    close = sorted(ordered(verdict.best_set), key=lambda model: model != verdict.safe_choice)
    first = [*close, *(model for model in verdict.slower if model in measured)]
    return [*first, *(model for model in ordered(measured) if model not in first)]


def _least(verdict: Verdict, medians: Mapping[str, float]) -> tuple[str, float] | None:
    """Who needs less than all others, and its share of what the next needs."""
    if verdict.kind not in ("wins", "ahead") or verdict.best is None:
        return None
    others = [medians[model] for model in (*verdict.best_set[1:], *verdict.slower) if model in medians]
    return (verdict.best, medians[verdict.best] / min(others)) if others else None


def _estimated(
    analysis: Analysis,
    question: Question,
    nearest: Mix,
    alike: Sequence[Mix],
    allowed: Mapping[str, Model],
    left_out: list[tuple[str, str]],
) -> Advice:
    work, cores = question.work, int(analysis.run.run.get("cores") or 1)
    times: dict[str, Surface] = {}
    few = []
    for id, model in allowed.items():
        own = {mix.case.id: Measured(mix.work, mix.case.medians["time"][id]) for mix in alike if id in mix.measured}
        if len(own) < LEAST_CASES:
            few.append((id, f"measured in {len(own)} of these {len(alike)} cases, which is too few for an estimate"))
        else:
            times[id] = Surface(own, model.guaranteed_concurrency or work.tasks, cores)
    if len(times) < min(2, len(allowed)):
        outside = (
            f"only {listed(list(times)) or 'no model'} was measured in the {LEAST_CASES} cases that an estimate needs",
        )
        return _of_case(analysis, question, nearest, allowed, left_out, len(alike), outside)
    verdict = estimated(times, work)
    tails = mixes.tails(analysis, times)
    options = [
        Option(
            id,
            math.exp(times[id].log_ns(work)),
            _estimated_cpu(alike, id, work),
            Memory(analysis, allowed[id]).bytes_for(work.tasks),
            tails.ns.get(id),
        )
        for id in _in_order(verdict, set(times))
    ]
    misses = sorted(abs(miss) for surface in times.values() for miss in surface.misses.values())
    return Advice(
        question,
        "estimated",
        verdict,
        nearest,
        len(alike),
        tuple(options),
        None,
        None,
        None,
        tuple(left_out + few),
        (),
        tails.case,
        math.exp(misses[len(misses) // 2]),
    )


def _estimated_cpu(alike: Sequence[Mix], model: str, work: Work) -> float | None:
    """As computing on one core, since waiting costs none."""
    own = {
        mix.case.id: Measured(mix.work.computing(), mix.case.medians["cpu"][model])
        for mix in alike
        if model in mix.case.medians["cpu"]
    }
    return math.exp(Surface(own, work.tasks, 1).log_ns(work.computing())) if len(own) >= LEAST_CASES else None

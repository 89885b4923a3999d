"""What the suite itself costs: a model beside the same work written by hand against its library, measured in the same
rounds."""

from __future__ import annotations

from dataclasses import dataclass

from reports.cases import quantities
from reports.cases.appearance import ordered
from reports.cases.run import Cell, Run
from verdicts.statistics import Ratio, pair
from vocabulary.outcomes import name
from vocabulary.terms import CLASSES

AIM = 1.05  # of CPU time: what the upper bound of the ratio should keep below


@dataclass(frozen=True)
class Pair:
    """One case of one model beside its native twin; ratios are suite / native."""

    workload: str
    label: str
    model: str
    cpu: Ratio | None  # None where `reason` says why
    time: Ratio | None
    rounds: int  # that both have
    reason: str

    @property
    def verdict(self) -> str:
        """kept, missed or open; or why there is no ratio."""
        if self.cpu is None or self.cpu.low is None or self.cpu.high is None:
            return self.reason
        return "kept" if self.cpu.high <= AIM else "missed" if self.cpu.low > AIM else "open"


def pairs(run: Run) -> tuple[Pair, ...]:
    """In the order of the classes of work, then of the models; those that have no twin last."""
    place = {workload.id: CLASSES.index(workload.class_) for workload in run.workloads}
    models = ordered(run.model(native.model).native_of or "" for _, native in run.natives)
    found = [
        (
            native.status == "unsupported",
            place[native.workload],
            native.workload,
            models.index(of),
            _pair(of, own, native),
        )
        for own, native in run.natives
        if (of := run.model(native.model).native_of)
    ]
    return tuple(each[-1] for each in sorted(found, key=lambda each: each[:-1]))


def _pair(model: str, own: Cell | None, native: Cell) -> Pair:
    label = quantities.params(native.params, native.params)
    if own is None or own.status != "ok" or native.status != "ok":
        return Pair(native.workload, label, model, None, None, 0, _why_none(model, own, native))
    cpu, time = (pair(own.series(metric), native.series(metric)) for metric in ("cpu", "time"))
    rounds = len(own.by_round("cpu").keys() & native.by_round("cpu").keys())
    if cpu is None or time is None:
        return Pair(native.workload, label, model, None, None, rounds, f"{rounds} rounds are too few")
    return Pair(native.workload, label, model, cpu.ratio, time.ratio, rounds, "")


def _why_none(model: str, own: Cell | None, native: Cell) -> str:
    if native.status == "unsupported":
        return f"no twin: {native.reason}"
    if native.status != "ok":
        return f"twin: {name(native.status)}: {native.reason}"
    return f"{model} was not measured" if own is None else f"{model}: {name(own.status)}: {own.reason}"

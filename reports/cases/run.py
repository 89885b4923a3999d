"""What a run measured, as in run.json. Names are those of the file and carry their units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from verdicts.statistics import Series
from vocabulary.latency import Buckets, added
from vocabulary.representatives import Member
from vocabulary.sample import Sample, by_round, deciding_quantile


@dataclass(frozen=True)
class Cell:
    """One model in one case."""

    id: str
    case: str
    model: str
    workload: str
    params: Mapping[str, Any]
    status: str
    reason: str
    metric: str
    unit: str
    units: int
    scheduled: int
    bound_ns: int | None
    bound: str
    projected_ns: int | None
    stopped_reason: str | None
    failures: tuple[Mapping[str, Any], ...]
    samples: tuple[Sample, ...]
    checksum: str | None = None
    processes: int = 1  # of the model
    offered_per_s: int | None = None  # of an open loop: requests per second, the same for all models of the case
    saturation_per_s: int | None = None  # what this model can serve
    single_ns: int | None = None  # what one iteration took before the rounds
    threads_used: int | None = None  # that ran items in the check pass, in all processes together

    @property
    def deciding_quantile(self) -> float:
        """Of latency."""
        return deciding_quantile(self.offered_per_s is not None)

    def series(self, metric: str) -> Series:
        """By round, with the process that measured it."""
        return Series(self.by_round(metric), {sample.round: sample.process for sample in self.samples})

    def latencies(self, kind: str) -> Buckets:
        """Of all samples; `kind` is intended or service."""
        return added(sample.latency[kind] for sample in self.samples if sample.latency is not None)

    def by_round(self, metric: str) -> dict[int, float]:
        """Round → the value in the metric; see vocabulary.sample."""
        return by_round(metric, self.samples, self.processes, self.offered_per_s is not None)


@dataclass(frozen=True)
class Model:
    """A model as run.json describes it."""

    id: str
    family: str
    variant_of: str
    status: str
    reason: str
    guaranteed_concurrency: int | None = None
    start_up_ns: int | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    twin_of: str | None = None
    native_of: str | None = None  # the model that it is the native twin of
    before_of: str | None = None  # the model whose program at another revision it is
    engineering: str | None = None  # textbook, best or library; None: the run does not say
    semaphore_order: str | None = None  # fifo or barging; None: it has none, or the run does not say
    channel_order: str | None = None


@dataclass(frozen=True)
class Workload:
    """A workload as run.json describes it."""

    id: str
    class_: str
    question: str
    metric: str
    unit: str


@dataclass(frozen=True)
class Focus:
    """The model that the reader is about."""

    model: str
    against: str | None = None  # another one; None: the best of the others, case by case


@dataclass(frozen=True)
class Run:
    """A whole run. The free-form parts (`run`, `source`, `build`, `host`, `settings`, `noise`) stay as the file has
    them."""

    run: Mapping[str, Any]
    source: Mapping[str, Any]
    build: Mapping[str, Any]
    host: Mapping[str, Any]
    settings: Mapping[str, Any]
    noise: Mapping[str, Any]
    models: tuple[Model, ...]
    workloads: tuple[Workload, ...]
    cells: tuple[Cell, ...]
    # a cell, None if there is none, and the same on the model's native twin; they stand in no other place
    natives: tuple[tuple[Cell | None, Cell], ...] = ()
    # A/A control: a cell, and the same on the model's twin; the twins stand in no other place
    twins: tuple[tuple[Cell, Cell], ...] = ()
    # of a check against a second revision: a cell, and the same of that revision's program; the latter stand in no
    # other place
    befores: tuple[tuple[Cell, Cell | None], ...] = ()
    lost_models: tuple[str, ...] = ()  # that could be started at that revision and cannot now
    disturbed: Mapping[str, frozenset[int]] = field(default_factory=dict)  # case → rounds in which others disturbed it

    @property
    def focus(self) -> Focus | None:
        """As it was measured for; None: for no model more than for another."""
        model = self.run.get("focus")
        return Focus(model, self.run.get("against")) if model else None

    @property
    def variables(self) -> Mapping[str, str]:
        """Of the environment that it was measured in, those that may change what is measured."""
        known = self.settings.get("env")
        return {str(name): str(value) for name, value in known.items()} if isinstance(known, Mapping) else {}

    def workload(self, id: str) -> Workload:
        """By its id, which exists."""
        return next(w for w in self.workloads if w.id == id)

    def model(self, id: str) -> Model:
        """By its id, which exists."""
        return next(m for m in self.models if m.id == id)


def members_of(models: Iterable[Model]) -> list[Member]:
    """As representatives are chosen from them."""
    return [Member(model.id, model.family, model.variant_of, model.engineering == "textbook") for model in models]

"""What a run measured, as run.json has it: the names are those of the file, units are in the names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from reports.latency import OPEN_LOOP, OTHERWISE, Buckets, added, deciding_ns

if TYPE_CHECKING:
    from reports.statistics import Series

ENGINEERING = ("textbook", "best", "library")
ORDERS = ("fifo", "barging")
CLASSES = ("io", "cpu", "coordination", "mixed", "lessons", "memory")
PAGE = 4096  # no process is measured finer than a page


@dataclass(frozen=True)
class Sample:
    """Sums over all iterations."""

    process: int
    round: int
    position: int
    iterations: int
    start_ns: int
    wall_ns: int
    cpu_user_ns: int
    cpu_sys_ns: int
    peak_rss_bytes: int | None = None
    pss_bytes: int | None = None
    origin_cpu_ns: int | None = None
    load_cpu_ns: int | None = None
    latency: Mapping[str, Buckets] | None = None  # intended and service
    notes: Mapping[str, int] = field(default_factory=dict)
    foreign_share: float | None = None

    @property
    def time_ns(self) -> float:
        """Real time of one iteration."""
        return max(self.wall_ns / self.iterations, 1.0)

    @property
    def cpu_ns(self) -> float:
        """CPU time of the model's process tree for one iteration; at least 1 ns, so that ratios exist."""
        return max((self.cpu_user_ns + self.cpu_sys_ns) / self.iterations, 1.0)

    @classmethod
    def of(cls, measured: Mapping[str, Any]) -> Sample:
        """Of an object of run.json; keys that are not known are left out."""
        return cls(**{key: value for key, value in measured.items() if key in _SAMPLE_KEYS})


_SAMPLE_KEYS = {field.name for field in fields(Sample)}


def deciding_quantile(paced: bool) -> float:
    """Of latency."""
    return OPEN_LOOP if paced else OTHERWISE


def sample_value(metric: str, sample: Sample, processes: int, paced: bool) -> float | None:
    """In ns or bytes, latency as the percentile that decides; None if the sample does not have it. `processes`: of the model; `paced`: requests come at a given rate."""
    if metric == "time":
        return sample.time_ns
    if metric == "cpu":
        return sample.cpu_ns
    if metric == "latency":
        return None if sample.latency is None else deciding_ns(sample.latency, deciding_quantile(paced))
    # Peak resident memory; of several processes their proportional share, as peaks would count a shared page once for each of them.
    size = sample.pss_bytes if processes > 1 and sample.pss_bytes is not None else sample.peak_rss_bytes
    return None if size is None else float(max(size, PAGE))


def by_round(metric: str, samples: Iterable[Sample], processes: int, paced: bool) -> dict[int, float]:
    """Round → value, as sample_value() has it; a round measured twice (a resumed run) counts with its first sample."""
    values: dict[int, float] = {}
    for sample in samples:
        value = sample_value(metric, sample, processes, paced)
        if value is not None:
            values.setdefault(sample.round, value)
    return values


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
    threads_used: int | None = None  # that ran items in the gate pass, in all processes together

    @property
    def deciding_quantile(self) -> float:
        """Of latency."""
        return deciding_quantile(self.offered_per_s is not None)

    def series(self, metric: str) -> Series:
        """By round, with the process that measured it."""
        from reports.statistics import Series  # needs numpy, which scripts/setup brings: the driver begins without

        return Series(self.by_round(metric), {sample.round: sample.process for sample in self.samples})

    def latencies(self, kind: str) -> Buckets:
        """Of all samples; `kind` is intended or service."""
        return added(sample.latency[kind] for sample in self.samples if sample.latency is not None)

    def by_round(self, metric: str) -> dict[int, float]:
        return by_round(metric, self.samples, self.processes, self.offered_per_s is not None)


@dataclass(frozen=True)
class Model:
    id: str
    family: str
    variant_of: str
    status: str
    reason: str
    at_once: int | None = None
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
    """A whole run. The free-form parts (`run`, `source`, `build`, `host`, `settings`, `noise`) stay as the file has them."""

    run: Mapping[str, Any]
    source: Mapping[str, Any]
    build: Mapping[str, Any]
    host: Mapping[str, Any]
    settings: Mapping[str, Any]
    noise: Mapping[str, Any]
    models: tuple[Model, ...]
    workloads: tuple[Workload, ...]
    cells: tuple[Cell, ...]
    natives: tuple[tuple[Cell | None, Cell], ...] = ()  # a cell, None if there is none, and the same on the model's native twin; they stand in no other place
    twins: tuple[tuple[Cell, Cell], ...] = ()  # A/A control: a cell, and the same on the model's twin; the twins stand in no other place
    befores: tuple[tuple[Cell, Cell | None], ...] = ()  # of a check against a second revision: a cell, and the same of that revision's program; the latter stand in no other place
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
        return next(w for w in self.workloads if w.id == id)

    def model(self, id: str) -> Model:
        return next(m for m in self.models if m.id == id)

"""A sample as run.json has it, and its value in each metric: the names are those of the file, units are in the
names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from vocabulary.latency import OPEN_LOOP, OTHERWISE, Buckets, deciding_ns

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
    """In ns or bytes, latency as the percentile that decides; None if the sample does not have it. `processes`: of the
    model; `paced`: requests come at a given rate."""
    if metric == "time":
        return sample.time_ns
    if metric == "cpu":
        return sample.cpu_ns
    if metric == "latency":
        return None if sample.latency is None else deciding_ns(sample.latency, deciding_quantile(paced))
    # Peak resident memory; of several processes their proportional share, as peaks would count a shared page once for
    # each of them.
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

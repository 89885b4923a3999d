"""The second half of a report: one section per question, each with its figures or with the reason why this run has
none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reports.cases.cases import Analysis
from reports.drawing.sheet import Picture
from reports.figures import (
    anatomy,
    cost_plane,
    heartbeat,
    memory,
    native_twins,
    order,
    percentiles,
    scaling,
    spreads,
    throughput,
)


@dataclass(frozen=True)
class Section:
    """`missing` says why there is no picture."""

    id: str
    title: str
    pictures: tuple[Picture, ...]
    missing: str = ""


_FIGURES: tuple[tuple[str, str, Callable[[Analysis], Picture | None], str], ...] = (
    ("spreads", "Textbook against best", spreads.textbook_against_best, spreads.MISSING),
    ("throughput", "Throughput against size", throughput.throughput, throughput.MISSING),
    ("scaling", "Workers: scaling and oversubscription", scaling.scaling, scaling.MISSING),
    ("latency", "Latency under load", percentiles.percentiles, percentiles.MISSING),
    ("cost", "Time against CPU cost", cost_plane.cost_plane, cost_plane.MISSING),
    ("memory", "Memory of a waiting task", memory.memory, memory.MISSING),
    ("heartbeat", "Heartbeat delay", heartbeat.heartbeat, heartbeat.MISSING),
    ("anatomy", "Overhead anatomy", anatomy.anatomy, anatomy.MISSING),
    ("order", "Samples in the order of the run", order.order, order.MISSING),
    ("twins", "What the suite itself costs", native_twins.twins, native_twins.MISSING),
)


def figure_sections(analysis: Analysis) -> list[Section]:
    """Every section with its figure, or with why it has none."""
    return [_section(id, title, draw(analysis), missing) for id, title, draw, missing in _FIGURES]


def _section(id: str, title: str, picture: Picture | None, missing: str) -> Section:
    return Section(id, title, (picture,)) if picture else Section(id, title, (), missing)

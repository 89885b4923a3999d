"""Which model stands for its family in a verdict, named before anything was measured.

A family with four variants would otherwise have four tickets: the best of four was the fastest in 80 % of simulated
trials of models that were all equal. The first of the list that supports the case takes part, however it measures; its
siblings are shown and do not compete. Serial is the baseline, peers and native twins are for comparison: none of them
competes.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import takewhile
from typing import NamedTuple

_Preferred = dict[str, tuple[str, ...]]

_WAITING: _Preferred = {
    "event_loop": ("event_loop", "event_loop_per_core"),  # only the second reads files
    # a pool of one thread per core waits for as many things only
    "threads": ("thread_pool_wide", "thread_per_task", "thread_pool"),
    "processes": ("process_pool_wide", "process_pool"),
    "fibers": ("fibers", "fibers_multi"),
    "tbb": ("tbb_resumable", "tbb_tasks"),  # suspends instead of blocking its worker
}
_COMPUTING: _Preferred = {
    "event_loop": ("event_loop",),  # one thread, as it comes: the textbook's wrong tool
    "threads": ("thread_pool",),
    "processes": ("process_pool",),
    "fibers": ("fibers_multi", "fibers"),  # all cores, like the pools
    "tbb": ("tbb_tasks",),
}
_MIXED: _Preferred = {
    **_COMPUTING,
    "event_loop": ("event_loop_threads", "event_loop_processes", "event_loop"),  # heavy work goes to an executor
    "threads": ("thread_pool_wide", "thread_pool"),
    "processes": ("process_pool_wide", "process_pool"),
    "tbb": ("tbb_resumable", "tbb_tasks"),
}
_COORDINATION: _Preferred = {
    **_COMPUTING,
    "fibers": ("fibers", "fibers_multi"),  # tasks that hand over to each other gain nothing from a second core
}
_MEMORY: _Preferred = {
    **_WAITING,
    "threads": ("thread_per_task", "thread_pool_wide", "thread_pool"),  # a waiting task is a thread there
    "processes": ("process_per_task", "process_pool_wide", "process_pool"),
}
_BY_CLASS = {
    "io": _WAITING,
    "cpu": _COMPUTING,
    "coordination": _COORDINATION,
    "mixed": _MIXED,
    "lessons": _WAITING,
    "memory": _MEMORY,
}


BASELINE = "serial"


class Member(NamedTuple):
    """A model as far as choosing goes."""

    id: str
    family: str
    variant_of: str
    textbook: bool = False
    native_of: str = ""  # the model that it is the native twin of


def textbook_of(members: Iterable[Member]) -> dict[str, str]:
    """Model → what the tutorials mean by the word, of the same size."""
    return {member.variant_of: member.id for member in members if member.textbook and member.variant_of != member.id}


def _lines(members: Iterable[Member], class_: str) -> list[tuple[str, ...]]:
    """For each family those that may stand for it in work of that class, first choice first."""
    known = list(members)
    lines = []
    for family, preferred in _BY_CLASS[class_].items():
        # A family member that the table does not know (somebody's new runtime) stands in only where none of the named
        # ones can; what is measured for the distance to them never does.
        others = tuple(
            m.id
            for m in known
            if m.family == family and m.id not in preferred and m.variant_of == m.id and not m.textbook
        )
        lines.append(preferred + others)
    return lines


def competing(members: Iterable[Member], class_: str, supported: Set[str]) -> set[str]:
    """The models that compete in a case that only `supported` ones can do. Support decides which variant stands for a
    family, never a measurement."""
    return {first for line in _lines(members, class_) if (first := next((id for id in line if id in supported), None))}


def first_choices(class_: str) -> set[str]:
    """Who competes in work of that class where nothing is unsupported."""
    return {line[0] for line in _lines([], class_)}


def named() -> set[str]:
    """All models that the table names: one of them stands for each family, unless none can do the case."""
    return {model for preferred in _BY_CLASS.values() for line in preferred.values() for model in line}


def passed_over(members: Iterable[Member], class_: str, supported: Set[str]) -> set[str]:
    """Those that would have come before a representative, or instead of none, had they supported the case: a report
    says why they do not."""
    return {id for line in _lines(members, class_) for id in takewhile(lambda id: id not in supported, line)}

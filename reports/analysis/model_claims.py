"""The tutorials' claims about which model to use, and what each is checked by."""

from __future__ import annotations

from dataclasses import replace

from reports.analysis.evidence import AS_OWED, MS, NOTHING, Check, Evidence, Point, Side, at_least, at_most
from reports.cases.phrases import absence, listed, verdict_in_words
from verdicts.statistics import MARGIN
from vocabulary.terms import FAMILY_NAMES

_LOOP_AND_THREADS: tuple[tuple[Side, str, str], ...] = (
    ("C++", "event_loop", "thread_pool_wide"),
    ("CPython", "py_asyncio", "py_threads"),
)
_DEARER = at_least(1.05)  # more than the margin below which nothing is decided

_WAITS_OF_MANY = (
    ("1,000 sleeps", "sleepers", {"tasks": 1_000, "in_flight": 1_000}),
    ("1,000 requests on 256 connections", "fetch", {"requests": 1_000, "in_flight": 256, "delay_us": 5_000}),
)

_WAITS_OF_FEW = (
    ("100 sleeps of 10 ms", "sleepers", {"tasks": 100, "delay_us": 10_000}),
    ("320 requests, 16 at once", "fetch", {"requests": 320, "in_flight": 16}),
    ("160 requests, 16 at once", "fetch", {"requests": 160, "in_flight": 16}),
    ("1,000 requests, 256 at once", "fetch", {"requests": 1_000, "in_flight": 256, "delay_us": 5_000}),
)

_WAITS_OF_THOUSANDS = (
    ("1,000 sleeps", "sleepers", {"tasks": 1_000, "in_flight": 1_000}),
    ("10,000 sleeps", "sleepers", {"tasks": 10_000}),
    ("3,000 requests, 1,000 at once", "fetch", {"requests": 3_000, "in_flight": 1_000}),
)

_AMONG_THE_BEST = "in the best set, or the safe choice within 5 %"

# Those of which the textbook variants are of the size that competes there. Waits want a wide pool, which is one whoever
# hands out its tasks.
_WAITING, _COMPUTING = ("event_loop", "fibers"), ("event_loop", "thread_pool", "process_pool")
_RIVALS = {"sleepers": _WAITING, "fetch": _WAITING, "sum_squares": _COMPUTING}


def resources(e: Evidence) -> list[Check]:
    """asyncio needs fewer resources than threads: memory of what waits, CPU of waits and requests."""
    checks = [
        e.models(
            "C++",
            "thread_per_task",
            "event_loop",
            "idle_tasks",
            {"tasks": n},
            _DEARER,
            f"memory of {n:,} waiting: threads / tasks",
            "memory",
        )
        for n in (1_000, 10_000)
    ]
    for label, workload, params in _WAITS_OF_MANY:
        what = f"CPU of {label}: threads / "
        checks.append(
            e.models("C++", "thread_pool_wide", "event_loop", workload, params, _DEARER, what + "event loop", "cpu")
        )
        checks.append(
            e.models("CPython", "py_threads", "py_asyncio", workload, params, _DEARER, what + "asyncio", "cpu")
        )
    idle = {"tasks": 1_000}
    checks.append(
        e.models(
            "CPython",
            "py_threads",
            "py_asyncio",
            "idle_tasks",
            idle,
            _DEARER,
            "memory of 1,000 waiting: threads / tasks",
            "memory",
        )
    )
    return checks


def hundred_waits(e: Evidence) -> list[Check]:
    """100 waits of 0.1 s take 0.1 s on a loop and on threads, which cost more CPU."""
    size = {"tasks": 100, "delay_us": 100_000}
    checks = []
    for side, loop, threads in _LOOP_AND_THREADS:
        checks += [
            e.against(side, Point(loop, "sleepers", size), 100 * MS, AS_OWED, "a loop, for one wait"),
            e.against(side, Point(threads, "sleepers", size), 100 * MS, AS_OWED, "a pool of threads, for one wait"),
            e.models(side, threads, loop, "sleepers", size, _DEARER, "CPU: threads / loop", "cpu"),
        ]
    return checks


def ten_thousand(e: Evidence) -> list[Check]:
    """10,000 tasks are practical on a loop; a thread each collapses."""
    sleeps = {"tasks": 10_000, "delay_us": 50_000}
    loop, asyncio, python_threads = (
        Point(model, "sleepers", sleeps) for model in ("event_loop", "py_asyncio", "py_threads")
    )
    per_task, idle = Point("thread_per_task", "sleepers", sleeps), Point(
        "thread_per_task", "idle_tasks", {"tasks": 10_000}, "memory"
    )
    return [
        e.against("C++", loop, 50 * MS, at_most(2), "10,000 sleeps of 50 ms on the loop, for one"),
        _collapse(
            e, per_task, e.compare("C++", per_task, loop, at_least(10), "the same with a thread each / on the loop")
        ),
        _collapse(
            e,
            idle,
            e.against(
                "C++", idle, 10_000 * 8 * 2.0**20, at_least(0.5), "memory of 10,000 waiting threads, for 8 MiB each"
            ),
        ),
        e.against("CPython", asyncio, 50 * MS, at_most(2), "10,000 sleeps of 50 ms on asyncio, for one"),
        e.compare(
            "CPython",
            python_threads,
            asyncio,
            at_least(10),
            "the same on 1,000 threads, all that its pool may have / on asyncio",
        ),
    ]


def _collapse(e: Evidence, of: Point, check: Check) -> Check:
    """Threads that cannot be had have collapsed, too."""
    cell = e.cell(of)
    if cell is None or cell.status not in ("failed", "crashed", "timed_out"):
        return check
    return Check(check.what, check.side, check.expected, absence(cell), True, cell.reason, cells=check.cells)


def processes_for_computing(e: Evidence) -> list[Check]:
    """CPU-bound work is faster on processes than on threads."""
    checks = []
    for tasks, n in ((1_000, 10_000), (16, 1_000_000)):
        size, label = {"tasks": tasks, "n": n}, f"{tasks:,} sums of {n:,} squares: threads / processes"
        checks.append(e.models("C++", "thread_pool", "process_pool", "sum_squares", size, _DEARER, label))
        checks.append(e.models("CPython", "py_threads", "py_processes", "sum_squares", size, _DEARER, label))
    return checks


def efficient(e: Evidence) -> list[Check]:
    """A loop takes no less time than threads for few waits, and less CPU."""
    checks = []
    for side, loop, threads in _LOOP_AND_THREADS:
        for label, workload, params in _WAITS_OF_FEW:
            checks.append(
                e.models(side, threads, loop, workload, params, at_most(1.05), f"time of {label}: threads / loop")
            )
            checks.append(
                e.models(side, threads, loop, workload, params, _DEARER, f"CPU of {label}: threads / loop", "cpu")
            )
    return checks


def right_sizes(e: Evidence) -> list[Check]:
    """Threads are among the best for tens of waits, a loop for thousands, processes for computing."""
    checks = [_in_best_set(e, "threads", workload, params, label) for label, workload, params in _WAITS_OF_FEW]
    checks += [
        _in_best_set(e, "event_loop", workload, params, label) for label, workload, params in _WAITS_OF_THOUSANDS
    ]
    checks.append(
        _in_best_set(e, "processes", "sum_squares", {"tasks": 16, "n": 1_000_000}, "16 sums of a million squares")
    )
    for label, workload, params in _WAITS_OF_FEW:
        checks.append(
            e.models(
                "CPython", "py_threads", "py_asyncio", workload, params, at_most(1.05), f"{label}: threads / asyncio"
            )
        )
    for label, workload, params in _WAITS_OF_THOUSANDS:
        checks.append(
            e.models(
                "CPython", "py_asyncio", "py_threads", workload, params, at_most(1.05), f"{label}: asyncio / threads"
            )
        )
    return checks


def _in_best_set(e: Evidence, family: str, workload: str, params: dict[str, int], label: str) -> Check:
    """Whether the family is among the fastest of all that compete."""
    what, point = f"{label}: {FAMILY_NAMES[family]} among the best", Point(family, workload, params)
    case = e.case(point)
    for rival in _RIVALS[workload]:
        e.spoken(Point(rival, workload, params))
    if case is None:
        return Check(
            what,
            "C++",
            _AMONG_THE_BEST,
            NOTHING,
            None,
            f"{point.named} was not part of this run",
            cells=f"{point.named}, time: all that compete",
        )
    competing, verdict = e.contest(case, "time")
    textbook = sorted(competing & set(e.textbooks.values()))
    cells = f"{point.named}, time: all that compete{f', by {listed(textbook)}' if textbook else ''}"
    model = next((m for m in sorted(competing) if e.analysis.run.model(m).family == family), None)
    if model is None or not verdict.best or (model not in verdict.best_set and model not in verdict.slower):
        why = verdict.reason or f"{family} did not take part"
        return Check(what, "C++", _AMONG_THE_BEST, NOTHING, None, f"{point.named}: {why}", cells=cells)
    measured = f"best: {listed(verdict.best_set)}"
    if model in verdict.slower:
        return Check(
            what,
            "C++",
            _AMONG_THE_BEST,
            measured,
            False,
            ratio=verdict.ratios.get(model),
            limit=at_most(1.05),
            cells=cells,
        )
    safe = model == verdict.safe_choice and verdict.regret is not None and verdict.regret < MARGIN - 1
    holds = True if verdict.decided or safe else None
    note = "" if holds else f"{label}: {verdict_in_words(verdict)}"
    return Check(what, "C++", _AMONG_THE_BEST, measured, holds, note, verdict.ratios.get(model), at_most(1.05), cells)


def high_overhead(e: Evidence) -> list[Check]:
    """Processes cost at least twice what threads do, to start and to talk to."""
    start, talk = {"tasks": 1_000}, {"rounds": 1_000}
    # The tutorials' processes have pipes and no messages between items; those of process_pool share memory, which the
    # tutorials do not mean.
    shared = e.models(
        "C++",
        "process_pool",
        "thread_pool",
        "ping_pong",
        talk,
        at_least(2),
        "a message in shared memory: processes / threads",
    )
    return [
        e.models(
            "C++", "process_per_task", "thread_per_task", "spawn", start, at_least(2), "starting a process / a thread"
        ),
        e.models(
            "C++",
            "process_pool",
            "thread_pool",
            "spawn",
            start,
            at_least(2),
            "a task to a process / a thread of a pool",
        ),
        replace(shared, judges=False),
        e.models(
            "CPython",
            "py_processes",
            "py_threads",
            "spawn",
            start,
            at_least(2),
            "a task to a process / a thread of a pool",
        ),
        e.models(
            "CPython",
            "py_processes",
            "py_threads",
            "ping_pong",
            talk,
            at_least(2),
            "a message between processes / threads",
        ),
    ]


def cooperative(e: Evidence) -> list[Check]:
    """Giving way and passing a message cost less on a loop than on threads."""
    turns, talk = {"tasks": 2, "yields": 10_000}, {"rounds": 1_000}
    return [
        e.models(
            "C++", "thread_pool", "event_loop", "yield", turns, at_least(1.05), "giving way: threads / event loop"
        ),
        e.models(
            "C++", "thread_pool", "event_loop", "ping_pong", talk, at_least(1.05), "a message: threads / event loop"
        ),
        e.models(
            "CPython", "py_threads", "py_asyncio", "ping_pong", talk, at_least(1.05), "a message: threads / asyncio"
        ),
    ]

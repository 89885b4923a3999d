"""The fifteen claims of the asyncio tutorials, in their order, and the checks that show whether they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reports.analysis.evidence import MEAN_DELAY, NOTHING, Check, Evidence, Point, Share, Side, at_least, at_most
from reports.analysis.first_choice import event_loop_by_default
from reports.cases.phrases import absence, listed, verdict_in_words
from verdicts.statistics import MARGIN
from vocabulary.terms import FAMILY_NAMES

_MS = 1e6
_AS_OWED = at_most(1.25)  # "takes the sum", "takes 0.1 s": a quarter for what the machine adds to waits of milliseconds
_LOOP_AND_THREADS: tuple[tuple[Side, str, str], ...] = (
    ("C++", "event_loop", "thread_pool_wide"),
    ("CPython", "py_asyncio", "py_threads"),
)
_DEARER = at_least(1.05)  # more than the margin below which nothing is decided


@dataclass(frozen=True)
class Rule:
    """A sentence of the tutorials, and what it is judged by."""

    text: str
    tested: str  # how, in words
    checks: Callable[[Evidence], list[Check]]


def _sum_and_maximum(e: Evidence) -> list[Check]:
    row = Point("event_loop", "sequential_await", {"waits": 10, "together": 0})
    together = Point("event_loop", "sequential_await", {"waits": 10, "together": 1})
    return [
        e.against("C++", row, 20 * _MS, _AS_OWED, "ten awaits of 2 ms in a row, for their sum"),
        e.against("C++", together, 2 * _MS, _AS_OWED, "the same ten as tasks, for the longest"),
        e.compare("C++", row, together, at_least(5), "in a row / as tasks"),
    ]


def _blocking(e: Evidence) -> list[Check]:
    free, one, ten = (Point("event_loop", "blocking_in_loop", {"tasks": 100, "blockers": n}) for n in (0, 1, 10))
    return [
        e.against(
            "C++", ten, 20 * _MS, at_least(1), "100 tasks of 2 ms, ten of which block: as if those ten stood in a row"
        ),
        e.compare("C++", one, free, at_least(1.25), "one of them blocks / none does"),
    ]


def _resources(e: Evidence) -> list[Check]:
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


_WAITS_OF_MANY = (
    ("1,000 sleeps", "sleepers", {"tasks": 1_000, "in_flight": 1_000}),
    ("1,000 requests on 256 connections", "fetch", {"requests": 1_000, "in_flight": 256, "delay_us": 5_000}),
)


def _hundred_waits(e: Evidence) -> list[Check]:
    size = {"tasks": 100, "delay_us": 100_000}
    checks = []
    for side, loop, threads in _LOOP_AND_THREADS:
        checks += [
            e.against(side, Point(loop, "sleepers", size), 100 * _MS, _AS_OWED, "a loop, for one wait"),
            e.against(side, Point(threads, "sleepers", size), 100 * _MS, _AS_OWED, "a pool of threads, for one wait"),
            e.models(side, threads, loop, "sleepers", size, _DEARER, "CPU: threads / loop", "cpu"),
        ]
    return checks


def _ten_thousand(e: Evidence) -> list[Check]:
    sleeps = {"tasks": 10_000, "delay_us": 50_000}
    loop, asyncio, python_threads = (
        Point(model, "sleepers", sleeps) for model in ("event_loop", "py_asyncio", "py_threads")
    )
    per_task, idle = Point("thread_per_task", "sleepers", sleeps), Point(
        "thread_per_task", "idle_tasks", {"tasks": 10_000}, "memory"
    )
    return [
        e.against("C++", loop, 50 * _MS, at_most(2), "10,000 sleeps of 50 ms on the loop, for one"),
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
        e.against("CPython", asyncio, 50 * _MS, at_most(2), "10,000 sleeps of 50 ms on asyncio, for one"),
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


def _processes_for_computing(e: Evidence) -> list[Check]:
    checks = []
    for tasks, n in ((1_000, 10_000), (16, 1_000_000)):
        size, label = {"tasks": tasks, "n": n}, f"{tasks:,} sums of {n:,} squares: threads / processes"
        checks.append(e.models("C++", "thread_pool", "process_pool", "sum_squares", size, _DEARER, label))
        checks.append(e.models("CPython", "py_threads", "py_processes", "sum_squares", size, _DEARER, label))
    return checks


_WAITS_OF_FEW = (
    ("100 sleeps of 10 ms", "sleepers", {"tasks": 100, "delay_us": 10_000}),
    ("320 requests, 16 at once", "fetch", {"requests": 320, "in_flight": 16}),
    ("160 requests, 16 at once", "fetch", {"requests": 160, "in_flight": 16}),
    ("1,000 requests, 256 at once", "fetch", {"requests": 1_000, "in_flight": 256, "delay_us": 5_000}),
)


def _efficient(e: Evidence) -> list[Check]:
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


def _right_sizes(e: Evidence) -> list[Check]:
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


def _responsive(e: Evidence) -> list[Check]:
    checks = []
    for tasks, steps in ((20, 300_000), (10, 1_000_000)):
        size = {"tasks": tasks, "steps": steps}
        offloaded = Point("event_loop_threads", "responsiveness_offloaded", size, MEAN_DELAY)
        alone = Point("event_loop", "responsiveness", size, MEAN_DELAY)
        checks.append(
            e.compare(
                "C++",
                offloaded,
                alone,
                at_most(0.5),
                f"a heartbeat's mean delay beside {tasks} tasks of {steps:,} steps: executor / none",
            )
        )
    size = {"tasks": 20, "steps": 300_000}
    pool, loop = (Point(model, "responsiveness", size, MEAN_DELAY) for model in ("py_processes", "py_asyncio"))
    checks.append(
        e.compare(
            "CPython",
            pool,
            loop,
            at_most(0.5),
            "a heartbeat's mean delay beside 20 tasks of 300,000 steps: processes / loop",
        )
    )
    return checks


def _protects(e: Evidence) -> list[Check]:
    """The origin counts what it sees in flight at once; a sample with one more is wrong, not ok."""
    what, point = "crawl of 20 pages: the server never saw more than 8 requests at once", Point(
        "event_loop", "crawl", {"pages": 20, "in_flight": 8}
    )
    case, named_cells = e.case(point), f"{point.named}: all that support it"
    cells = [cell for cell in case.cells.values() if cell.status != "unsupported"] if case else []
    if not cells:
        return [
            Check(
                what,
                "C++",
                "in every sample",
                NOTHING,
                None,
                f"{point.named} was not part of this run",
                cells=named_cells,
            )
        ]
    broken = [cell for cell in cells if "in flight, allowed" in cell.reason]
    kept = [cell for cell in cells if cell.status in ("ok", "server_bound") and cell.samples]
    if broken:
        return [
            Check(
                what,
                "C++",
                "in every sample",
                f"{listed([cell.model for cell in broken])}: {broken[0].reason}",
                False,
                cells=named_cells,
            )
        ]
    if not kept:
        return [
            Check(
                what, "C++", "in every sample", NOTHING, None, f"{point.named}: {absence(cells[0])}", cells=named_cells
            )
        ]
    return [
        Check(
            what,
            "C++",
            "in every sample",
            f"so in {sum(len(cell.samples) for cell in kept):,} samples of {len(kept)} models",
            True,
            share=Share(1.0, 1.0, 1.0, least=True),
            cells=named_cells,
        )
    ]


def _aborts(e: Evidence) -> list[Check]:
    gather, group = (Point("event_loop", "fail_fast", {"tasks": 100, "task_group": n}) for n in (0, 1))
    return [
        e.compare(
            "C++",
            group,
            gather,
            at_most(0.75),
            "time until a batch of 100 with one failure is over: task group / gather",
        ),
        _wasted(e, gather, "waits that ended after the failure, gather", True),
        _wasted(e, group, "waits that ended after the failure, task group", False),
    ]


def _wasted(e: Evidence, of: Point, what: str, some: bool) -> Check:
    (of,) = e.spoken(of)
    expected, cells = "over 0" if some else "0", f"{of.named}: {of.model}"
    cell = e.cell(of)
    counts = [sample.notes["wasted"] for sample in cell.samples if "wasted" in sample.notes] if cell else []
    if not counts:
        return Check(what, "C++", expected, NOTHING, None, f"{of.named}: no sample tells what was wasted", cells=cells)
    return Check(
        what,
        "C++",
        expected,
        f"{min(counts)} to {max(counts)} in {len(counts)} samples",
        min(counts) > 0 if some else max(counts) == 0,
        cells=cells,
    )


def _bounded_tail(e: Evidence) -> list[Check]:
    point = Point("event_loop", "timeouts", {"calls": 100, "stalled_every": 10, "deadline_us": 100_000})
    return [
        e.against(
            "C++", point, 100 * _MS, _AS_OWED, "100 calls, ten of which would take 20 s, for their deadline of 100 ms"
        ),
        e.against(
            "C++",
            Point("event_loop", "crawl", {"pages": 20}),
            60_000 * _MS,
            at_most(0.5),
            "a crawl with stalled pages, for one of them without a deadline (60 s)",
        ),
    ]


def _high_overhead(e: Evidence) -> list[Check]:
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


def _cooperative(e: Evidence) -> list[Check]:
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


RULES = (
    Rule(
        "Awaiting in sequence takes the sum; tasks take the maximum.",
        "Ten waits of 2 ms, awaited one after another and as tasks.",
        _sum_and_maximum,
    ),
    Rule(
        "One blocking call in a coroutine serialises everything.",
        "100 tasks wait 2 ms; none, one or ten of them by a call that the loop does not know.",
        _blocking,
    ),
    Rule(
        "asyncio needs fewer resources than threads.",
        "Memory of tasks that wait, CPU cost of many waits and requests.",
        _resources,
    ),
    Rule(
        "100 waits of 0.1 s take about 0.1 s on one thread, and so they do with threads, with more overhead.",
        "100 sleeps of 100 ms: time of both, and their CPU cost.",
        _hundred_waits,
    ),
    Rule(
        "10,000 simultaneous tasks are practical; a thread per task would collapse under its 8 MB stacks.",
        "10,000 sleeps as tasks and with a thread each; resident memory of the threads.",
        _ten_thousand,
    ),
    Rule(
        "CPU-bound work wants processes, because threads cannot run in parallel.",
        "Sums of squares on a pool of threads and one of processes: threads must be slower.",
        _processes_for_computing,
    ),
    Rule(
        "Async is not faster, it is more efficient: the waiter never stands idle.",
        "Waits of tens to hundreds: the loop's time must not be better, its CPU cost must.",
        _efficient,
    ),
    Rule(
        "Threads are right for small I/O (tens to hundreds of tasks), asyncio for thousands; processes for tens.",
        "Who is among the fastest, case by case.",
        _right_sizes,
    ),
    Rule(
        "An executor keeps the loop responsive under heavy work.",
        "A heartbeat of 1 ms beside heavy tasks, with and without an executor.",
        _responsive,
    ),
    Rule(
        "A semaphore protects the server and one's own descriptors.",
        "A crawl behind a semaphore; the server counts.",
        _protects,
    ),
    Rule(
        "gather collects, TaskGroup aborts: the second wastes no work after a failure.",
        "A batch of 100, 20 at once, of which one fails.",
        _aborts,
    ),
    Rule(
        "Without a timeout one stalled call stalls the service; with it the tail is bounded.",
        "Calls that stall for 20 s and pages that stall for 60 s, behind deadlines.",
        _bounded_tail,
    ),
    Rule(
        "Processes have high overhead to start and to talk to.",
        (
            "Starting one and giving one of a pool a task must cost at least twice what threads cost; a message in"
            " memory that both sides share stands beside that."
        ),
        _high_overhead,
    ),
    Rule(
        "Cooperative switching needs no locks and costs less than preemptive switching.",
        (
            "Giving way and passing a message, by time. That tasks of one thread need no lock is so by construction:"
            " they switch only where they await."
        ),
        _cooperative,
    ),
    Rule(
        "“Unsure? Start with asyncio.”",
        (
            "Every case: within 5 % of the best in at least half of them, ruinous (over three times as long) in at most"
            " one of ten."
        ),
        event_loop_by_default,
    ),
)

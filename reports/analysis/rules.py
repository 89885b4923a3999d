"""The fifteen claims of the asyncio tutorials, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reports.analysis import model_claims, practice_claims
from reports.analysis.evidence import Check, Evidence
from reports.analysis.first_choice import event_loop_by_default


@dataclass(frozen=True)
class Rule:
    """A sentence of the tutorials, and what it is judged by."""

    text: str
    tested: str  # how, in words
    checks: Callable[[Evidence], list[Check]]


RULES = (
    Rule(
        "Awaiting in sequence takes the sum; tasks take the maximum.",
        "Ten waits of 2 ms, awaited one after another and as tasks.",
        practice_claims.sum_and_maximum,
    ),
    Rule(
        "One blocking call in a coroutine serialises everything.",
        "100 tasks wait 2 ms; none, one or ten of them by a call that the loop does not know.",
        practice_claims.blocking,
    ),
    Rule(
        "asyncio needs fewer resources than threads.",
        "Memory of tasks that wait, CPU cost of many waits and requests.",
        model_claims.resources,
    ),
    Rule(
        "100 waits of 0.1 s take about 0.1 s on one thread, and so they do with threads, with more overhead.",
        "100 sleeps of 100 ms: time of both, and their CPU cost.",
        model_claims.hundred_waits,
    ),
    Rule(
        "10,000 simultaneous tasks are practical; a thread per task would collapse under its 8 MB stacks.",
        "10,000 sleeps as tasks and with a thread each; resident memory of the threads.",
        model_claims.ten_thousand,
    ),
    Rule(
        "CPU-bound work wants processes, because threads cannot run in parallel.",
        "Sums of squares on a pool of threads and one of processes: threads must be slower.",
        model_claims.processes_for_computing,
    ),
    Rule(
        "Async is not faster, it is more efficient: the waiter never stands idle.",
        "Waits of tens to hundreds: the loop's time must not be better, its CPU cost must.",
        model_claims.efficient,
    ),
    Rule(
        "Threads are right for small I/O (tens to hundreds of tasks), asyncio for thousands; processes for tens.",
        "Who is among the fastest, case by case.",
        model_claims.right_sizes,
    ),
    Rule(
        "An executor keeps the loop responsive under heavy work.",
        "A heartbeat of 1 ms beside heavy tasks, with and without an executor.",
        practice_claims.responsive,
    ),
    Rule(
        "A semaphore protects the server and one's own descriptors.",
        "A crawl behind a semaphore; the server counts.",
        practice_claims.protects,
    ),
    Rule(
        "gather collects, TaskGroup aborts: the second wastes no work after a failure.",
        "A batch of 100, 20 at once, of which one fails.",
        practice_claims.aborts,
    ),
    Rule(
        "Without a timeout one stalled call stalls the service; with it the tail is bounded.",
        "Calls that stall for 20 s and pages that stall for 60 s, behind deadlines.",
        practice_claims.bounded_tail,
    ),
    Rule(
        "Processes have high overhead to start and to talk to.",
        (
            "Starting one and giving one of a pool a task must cost at least twice what threads cost; a message in"
            " memory that both sides share stands beside that."
        ),
        model_claims.high_overhead,
    ),
    Rule(
        "Cooperative switching needs no locks and costs less than preemptive switching.",
        (
            "Giving way and passing a message, by time. That tasks of one thread need no lock is so by construction:"
            " they switch only where they await."
        ),
        model_claims.cooperative,
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

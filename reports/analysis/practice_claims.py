"""The tutorials' claims about how to write concurrent code, and what each is checked by."""

from __future__ import annotations

from reports.analysis.evidence import AS_OWED, MEAN_DELAY, MS, NOTHING, Check, Evidence, Point, Share, at_least, at_most
from reports.cases.phrases import absence, listed


def sum_and_maximum(e: Evidence) -> list[Check]:
    """Awaits in a row take the sum, tasks the longest."""
    row = Point("event_loop", "sequential_await", {"waits": 10, "together": 0})
    together = Point("event_loop", "sequential_await", {"waits": 10, "together": 1})
    return [
        e.against("C++", row, 20 * MS, AS_OWED, "ten awaits of 2 ms in a row, for their sum"),
        e.against("C++", together, 2 * MS, AS_OWED, "the same ten as tasks, for the longest"),
        e.compare("C++", row, together, at_least(5), "in a row / as tasks"),
    ]


def blocking(e: Evidence) -> list[Check]:
    """A call that blocks holds up all tasks of its loop."""
    free, one, ten = (Point("event_loop", "blocking_in_loop", {"tasks": 100, "blockers": n}) for n in (0, 1, 10))
    return [
        e.against(
            "C++", ten, 20 * MS, at_least(1), "100 tasks of 2 ms, ten of which block: as if those ten stood in a row"
        ),
        e.compare("C++", one, free, at_least(1.25), "one of them blocks / none does"),
    ]


def responsive(e: Evidence) -> list[Check]:
    """Heavy work in an executor leaves the loop's heartbeat in time."""
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


def protects(e: Evidence) -> list[Check]:
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


def aborts(e: Evidence) -> list[Check]:
    """A task group ends sooner after a failure than gather, and wastes no waits."""
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


def bounded_tail(e: Evidence) -> list[Check]:
    """With a deadline a stalled call ends in time."""
    point = Point("event_loop", "timeouts", {"calls": 100, "stalled_every": 10, "deadline_us": 100_000})
    return [
        e.against(
            "C++", point, 100 * MS, AS_OWED, "100 calls, ten of which would take 20 s, for their deadline of 100 ms"
        ),
        e.against(
            "C++",
            Point("event_loop", "crawl", {"pages": 20}),
            60_000 * MS,
            at_most(0.5),
            "a crawl with stalled pages, for one of them without a deadline (60 s)",
        ),
    ]

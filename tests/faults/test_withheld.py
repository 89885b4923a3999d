"""System calls that a container's filter or an older kernel does not give: each model goes on without, or says in one
line that it cannot run here."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.faults.conftest import BUILT, Drill, built, failed, outcomes

FALLBACKS = {  # newer calls → the models that use them; all have older ones to fall back on
    "epoll_pwait2": ("event_loop", "fibers"),
    "pidfd_open": ("process_per_task", "event_loop_processes"),
    "pidfd_send_signal": ("event_loop_processes",),
    "close_range": ("event_loop_processes",),
    "futex_waitv": ("thread_per_task", "process_per_task"),
    "membarrier": ("thread_pool", "process_pool"),
    "signalfd4": ("process_pool",),
    "timerfd_create": ("event_loop",),
    "accept4": ("thread_pool",),  # the load generator's, too
    "rseq": ("thread_pool",),
    "statx": ("thread_pool",),
    "getrandom": ("process_pool",),
    "sched_getaffinity": ("event_loop_threads",),
    "sched_setaffinity": ("thread_pool",),
    "setitimer": ("event_loop",),
    "madvise": ("process_pool",),
    "prlimit64": ("process_per_task",),
    "renameat2": ("event_loop",),
    "memfd_create": ("fibers_multi",),
}
NEEDED = {  # what there is nothing to fall back on for → the models that cannot run without
    "io_uring_setup": ("event_loop_uring",),
    "io_uring_enter": ("event_loop_uring",),
    "io_uring_register": ("event_loop_uring",),
    # glibc starts threads with it, and falls back on ENOSYS only
    "clone3": ("thread_pool", "fibers_multi", "tbb_tasks"),
    "eventfd2": ("event_loop", "process_pool"),
    "ppoll": ("process_pool", "process_pool_pipe"),
}
TINY: dict[str, dict[str, int]] = {
    "sleepers": {"tasks": 4, "delay_us": 1_000, "in_flight": 4},
    "fetch": {"requests": 4, "in_flight": 4, "delay_us": 500, "bytes": 64},
    "echo": {"connections": 2, "requests": 8, "bytes": 64},
}


def asked(call: str, error: str, model: str, *flags: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, answers, and what it said."""
    withhold = BUILT.parent / "tests" / "withhold"
    if not withhold.is_file():
        pytest.skip(f"{withhold} is not built: scripts/test builds it")
    requests = [
        {"do": "sample", "workload": workload, "params": params, "iterations": 1} for workload, params in TINY.items()
    ]
    command = [withhold, error, call, built(f"bench_{model}"), "--serve", *flags]
    done = subprocess.run(
        command,
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode == 126:
        pytest.skip(f"no filters here: {done.stderr.strip()}")
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("call", FALLBACKS)
def test_a_call_with_an_older_equivalent_is_done_without(call: str) -> None:
    for model in FALLBACKS[call]:
        for error in ("EPERM", "ENOSYS"):
            code, answers, said = asked(call, error, model)
            assert code == 0 and len(answers) == 1 + len(TINY), (model, error, code, said)
            assert [answer["outcome"] for answer in answers[1:]] == ["ok"] * len(TINY), (
                model,
                error,
                answers[1:],
                said,
            )


@pytest.mark.parametrize("call", NEEDED)
def test_what_has_none_makes_a_model_unsupported_with_the_reason(call: str) -> None:
    for model in NEEDED[call]:
        code, answers, said = asked(call, "EPERM", model)
        assert (code, answers) == (3, []), (model, code, answers)
        assert said.count("\n") == 1 and "not permitted" in said, (model, said)


def test_where_threads_cannot_be_started_what_needs_one_is_unsupported_with_the_reason() -> None:
    code, answers, said = asked("clone3", "EPERM", "thread_per_task")
    assert code == 0, said
    assert {answer["outcome"] for answer in answers[1:]} == {"unsupported"}, answers[1:]
    assert "a filter around this process" in answers[1]["reason"] and "ulimit" not in answers[1]["reason"]


def test_a_run_under_the_filter_of_a_container_is_fine_and_says_what_it_left_out(drill: Drill) -> None:
    drill.use("event_loop_uring", "event_loop", "serial")
    drill.behind = [
        str(built("../tests/withhold")),
        "EPERM",
        "io_uring_setup,io_uring_enter,io_uring_register,epoll_pwait2,pidfd_open,close_range,clone3",
    ]
    result = drill.end(
        drill.begin(
            "--models", "event_loop_uring,event_loop,serial", "--cells", "sleepers/*/tasks:100/*", "--time-budget", "6s"
        )
    )
    assert result.code == 0, result.err
    (uring,) = (model for model in result.run["models"] if model["id"] == "event_loop_uring")
    assert uring["status"] == "unsupported" and "seccomp" in uring["reason"]
    assert outcomes(result, "event_loop") == {"ok"} and not failed(result)

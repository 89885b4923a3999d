"""What whoever starts a bench or a run left behind, as signals, timers, descriptors and limits, changes nothing."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from itertools import chain, combinations
from typing import Any

import pytest

from tests.faults.conftest import Drill, built, failed, outcomes

TINY = {
    "do": "sample",
    "workload": "sleepers",
    "params": {"tasks": 4, "delay_us": 300_000, "in_flight": 2},
    "iterations": 1,
}
CLOSED = list(chain.from_iterable(combinations((0, 1, 2), count) for count in (1, 2, 3)))


def hostile() -> None:
    """Before exec: all signals ignored and blocked, a timer that is about to ring, files that not even their owner may
    open, few descriptors and small stacks."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    os.umask(0o777)
    for which, few in ((resource.RLIMIT_NOFILE, 32), (resource.RLIMIT_STACK, 100 << 10)):
        resource.setrlimit(which, (few, resource.getrlimit(which)[1]))


def many_descriptors() -> list[int]:
    """More than select() takes."""
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1_100)]
    for fd in held:
        os.set_inheritable(fd, True)
    return held


@pytest.mark.parametrize("model", ["serial", "event_loop", "thread_pool", "process_pool", "py_threads", "py_processes"])
def test_a_bench_that_is_started_by_hand_depends_on_nothing_that_it_inherits(model: str) -> None:
    child = subprocess.Popen(
        [built(f"bench_{model}"), "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hostile,
        restore_signals=False,
    )
    assert child.stdin is not None and child.stdout is not None
    hello = json.loads(child.stdout.readline())
    assert hello["resources"]["descriptors"] == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if model == "thread_pool":
        assert hello["resources"]["stack_bytes"] == 8 << 20
    with open(f"/proc/{child.pid}/status") as status:
        state = dict(line.strip().split(":\t") for line in status if line.startswith("Sig"))
    assert int(state["SigBlk"], 16) == 0
    ignored = {number for number in range(1, 65) if int(state["SigIgn"], 16) >> (number - 1) & 1}
    assert ignored <= {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ}
    told, _ = child.communicate(
        json.dumps(TINY if not model.startswith("py_") else {**TINY, **smallest(hello)}) + "\n", timeout=120
    )
    assert json.loads(told)["outcome"] == "ok" and child.returncode == 0, told


def smallest(hello: dict[str, Any]) -> dict[str, Any]:
    """A CPython model has the sizes of its list only."""
    cell = min(
        (cell for cell in hello["cells"] if cell["workload"] == "sleepers" and cell["status"] == "ok"),
        key=lambda cell: int(cell["units"]),
    )
    return {"params": cell["params"]}


@pytest.mark.parametrize("closed", CLOSED, ids=str)
def test_a_closed_standard_descriptor_is_not_taken_by_anything_else(closed: tuple[int, ...]) -> None:
    """An epoll, or the pipe of a worker, that got number 1 would be written to."""

    def close() -> None:
        for fd in closed:
            os.close(fd)

    command = [
        built("bench_event_loop"),
        "--benchmark_filter=sleepers/.*tasks:100/delay_us:10000/",
        "--benchmark_min_time=0.01",
        "--benchmark_format=json",
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=close, timeout=120
    )
    if 1 in closed:
        assert (done.returncode, done.stdout) == (3, "")
    else:
        assert done.returncode == 0 and json.loads(done.stdout)["benchmarks"]
    assert (done.stderr == "") or 2 not in closed


def test_a_run_depends_on_nothing_that_it_inherits(drill: Drill) -> None:
    drill.use("event_loop", "process_pool", "serial")
    held = many_descriptors()
    try:
        arguments = (
            "--models",
            "event_loop,process_pool,serial",
            "--cells",
            "sleepers/*/tasks:100/*,fib/*/n:20",
            "--time-budget",
            "8s",
        )
        child = drill.begin(
            *arguments, preexec_fn=hostile_but_for_few_descriptors, restore_signals=False, close_fds=False
        )
    finally:
        for fd in held:
            os.close(fd)
    result = drill.end(child)
    assert result.code == 0, result.err
    for model in ("event_loop", "process_pool", "serial"):
        assert "ok" in outcomes(result, model) and not failed(result), model
    assert os.stat(result.folder / "run.json").st_mode & 0o600 == 0o600


def hostile_but_for_few_descriptors() -> None:
    hostile()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

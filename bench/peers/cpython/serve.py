"""The --serve protocol, version 1: hello, then one answer per line, whatever a cell does."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NoReturn

from driver.machine.cores import affinity, usable_cores
from driver.machine.inherited import forget
from cpython import meters
from cpython.items import heartbeat, idle_times
from cpython.account import Account, WrongResult, open_kernel_objects
from cpython.cells import Cell, NoCells, hello_row, offered, refusal
from cpython.items.heartbeat import Latencies
from cpython.items.idle_times import IdleTimes
from cpython.model import Model, Surroundings
from cpython.origin import Address, ForeignServer
from cpython.refusals import refused, told
from cpython.sampler import Sampler
from cpython.semaphores import NoSemaphores
from cpython.shared_memory import shared_memory

_VERBS = ("can_sleep", "can_connect", "can_queue", "can_fork")
_NO_VERBS = ("can_limit", "can_yield", "can_offload", "can_read")
USAGE, ENVIRONMENT = 2, 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}; --help shows what there is\n")


def _options(name: str, arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog=name,
        description="A model of scripts/crossover in CPython; bench/README.md documents the protocol.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--serve",
        action="store_true",
        required=True,
        help="answer requests on standard input: all that this program does",
    )
    parser.add_argument("--origin", type=_address, metavar="URL", help="the HTTP server that fetch asks")
    parser.add_argument("--load", metavar="URL", help="taken and not used: no workload here serves the load generator")
    parser.add_argument(
        "--cores",
        type=_positive,
        metavar="N",
        help="how many cores the model may use (default: affinity mask and cgroup quota)",
    )
    return parser.parse_args(arguments)


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def _keep_to(cores: int | None) -> int:
    if cores is None:
        return usable_cores()
    if len(here := sorted(affinity())) > cores:
        os.sched_setaffinity(0, here[:cores])
    return cores


def _hello(name: str, model: Model, around: Surroundings, start_up_ns: int) -> dict[str, Any]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "protocol": 1,
        "model": name,
        "family": "peer",
        "variant_of": name,
        "engineering": "library",
        "cores": around.cores,
        "at_once": model.guaranteed_concurrency,
        "channel_order": "barging",  # asyncio's queue as well: who is woken looks again
        "back_end": model.back_end,
        "resources": {"threads": model.threads, "processes": len(model.workers) or 1, "descriptors": soft},
        "versions": {"python": f"{platform.python_implementation()} {platform.python_version()}", **model.versions},
        "start_up_ns": start_up_ns,
        "pid": os.getpid(),
        "worker_pids": model.workers,
        "verbs": {
            **dict.fromkeys(_VERBS, ""),
            **dict.fromkeys(_NO_VERBS, "no workload of the CPython reference needs it"),
        },
        "cells": [
            hello_row(
                cell,
                model.guaranteed_concurrency,
                model.guaranteed_concurrency_limit,
                model.parallel,
                around.origin is not None,
            )
            for cell in around.cells
        ],
    }


def _answer(
    request: Any, cells: Mapping[str, Cell], model: Model, has_origin: bool, sampler: Sampler
) -> dict[str, Any]:
    what = request.get("do") if isinstance(request, dict) else None
    if what not in ("gate", "sample"):
        return {"outcome": "usage", "reason": "'do' is one of gate, sample, quit"}
    cell = cells.get(json.dumps([request.get("workload"), request.get("params")], sort_keys=True))
    if cell is None:
        return {
            "outcome": "usage",
            "reason": "no cell of this model has this workload with these params: see the hello line",
        }
    iterations, untimed = request.get("iterations"), request.get("untimed", 0)
    if what == "sample" and not _whole(iterations, 1):
        return {"outcome": "usage", "reason": "a sample needs iterations, a whole number from 1"}
    if what == "sample" and not _whole(untimed, 0):
        return {"outcome": "usage", "reason": "the untimed passes of a sample are a whole number from 0"}
    if reason := refusal(cell, model.guaranteed_concurrency, model.guaranteed_concurrency_limit, has_origin):
        return {"outcome": "unsupported", "reason": reason}
    try:
        return (
            {"outcome": "ok", "account": sampler.check_pass(cell)}
            if what == "gate"
            else sampler.sample(cell, iterations, untimed)
        )
    except WrongResult as error:
        return {"outcome": "wrong", "reason": str(error)}
    except ForeignServer as error:
        return {"outcome": "unsupported", "reason": str(error)}
    except BrokenProcessPool as error:
        return {"outcome": "crashed", "reason": str(error)}
    except Exception as error:  # an item's: the next request is answered all the same
        if refused(error):
            return {"outcome": "unsupported", "reason": told(error)}
        return {"outcome": "failed", "reason": f"{type(error).__name__}: {' '.join(str(error).split())}"}


def _whole(number: Any, least: int) -> bool:
    return type(number) is int and number >= least  # True is an int, too


def _requests() -> Iterator[Any]:
    for line in sys.stdin:
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if isinstance(request, dict) and request.get("do") == "quit":
            return
        yield request


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def serve(name: str, make: Callable[[Surroundings], Model]) -> int:
    """The whole life of a bench process; the exit code."""
    forget()
    options = _options(name, sys.argv[1:])
    try:
        cells = offered(Path(sys.argv[0]).resolve().parent)
    except NoCells as error:
        print(f"{name}: {error}", file=sys.stderr)
        return ENVIRONMENT
    try:
        cores = _keep_to(options.cores)
        # Before any worker is forked.
        account, latencies = Account(max(cell.items for cell in cells)), Latencies(shared_memory(heartbeat.BYTES))
        around = Surroundings(
            cores, options.origin, cells, account, latencies, IdleTimes(shared_memory(idle_times.BYTES))
        )
        meters.forget_peaks([])
        empty, open_before = meters.footprint([]), open_kernel_objects([os.getpid()])
        begin = time.monotonic_ns()
        model = make(around)
        start_up_ns = time.monotonic_ns() - begin
    except NoSemaphores as error:
        print(f"{name}: {error}", file=sys.stderr)
        return ENVIRONMENT
    except Exception as error:
        if not refused(error):
            raise
        print(f"{name}: {told(error)}", file=sys.stderr)
        return ENVIRONMENT
    sampler = Sampler(model, around, empty, open_before)
    by_key = {cell.key: cell for cell in cells}
    try:
        _say(_hello(name, model, around, start_up_ns))
        for request in _requests():
            _say(_answer(request, by_key, model, around.origin is not None, sampler))
    except BrokenPipeError:  # a driver that has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        model.end()
    return 0

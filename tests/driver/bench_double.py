#!/usr/bin/python3 -I
"""A bench process that measures nothing: it speaks the --serve protocol, reports invented times, and misbehaves on
request.

usage: bench_double.py CONFIG [bench options]; CONFIG is a JSON object:
  model, family, engineering, unit_ns (claimed time per unit), noise (claimed times vary by up to nine times this share,
    otherwise by 9 % in the same way for all models), sizes (units of its two workloads' cases), lists (of every cell),
    sleep_s and gate_s (really taken per sample and gate),
  children (leaves two `sleep` of that many seconds and a temporary file behind), origin_share (CPU of the origin per
    wall time), bare_ns (measured at the gate, in place of a known bound), more (of every sample), cells (overrides per
    workload), hello (overrides),
  own_sizes_only (knows no request to describe a cell), slower_after (so many samples of the process, by ten times),
    requests (a file to which every request is appended as a line),
  fault: {do: hello|describe|gate|sample, kind, workload, skip (how many requests go well first), times (then how many
    go wrong)}, state (a file that counts them)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = json.loads(sys.argv[1])
WORKLOADS = ("spin", "wait")


def strikes(do: str, workload: str) -> bool:
    fault = CONFIG.get("fault")
    if not fault or fault["do"] != do or fault.get("workload", workload) != workload:
        return False
    state = Path(CONFIG["state"])
    seen = int(state.read_text()) if state.exists() else 0
    state.write_text(str(seen + 1))
    return bool(fault.get("skip", 0) <= seen < fault.get("skip", 0) + fault.get("times", 1_000_000))


def misbehave(answer: dict[str, Any]) -> None:
    match CONFIG["fault"]["kind"]:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            print("the pool could not be built", file=sys.stderr, flush=True)
            sys.exit(1)
        case "cannot_run":
            print("io_uring is not permitted here", file=sys.stderr, flush=True)
            sys.exit(3)
        case "hang":
            time.sleep(600)
        case "hang_deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(600)
        case "garbage":
            sys.stdout.write("Segmentation violation, maybe\n")
        case "half_a_line":
            sys.stdout.write('{"outcome": "o')
            sys.stdout.flush()
            sys.exit(0)
        case "nan":
            sys.stdout.write('{"outcome": "ok", "wall_ns": NaN}\n')
        case "no_outcome":
            say({"result": "fine"})
        case "twice":
            sys.stdout.write(2 * (json.dumps(answer) + "\n"))
        case "kill_origin":
            os.kill(int(Path(CONFIG["origin_pid"]).read_text()), signal.SIGKILL)
            time.sleep(0.2)
            say({"outcome": "failed", "reason": "connection refused"})
        case "wrong":
            say({"outcome": "wrong", "reason": "item 7 ran twice"})
        case "unsupported":
            say({"outcome": "unsupported", "reason": "io_uring is not permitted here"})
        case "units":
            say({**answer, "units": answer["units"] - 1})
        case "checksum":
            say({**answer, "checksum": "bad"})
        case "executions":
            say({**answer, "account": {**answer["account"], "executions": 1}})
        case "negative":
            say({**answer, "cpu_user_ns": -1})
        case "other_model":
            say({**answer, "model": "somebody_else"})
        case "odd_number":
            say({**answer, "at_once": "many"})
        case "other_kind":
            say({**answer, "engineering": "magic"})
        case "no_cells":
            say({key: value for key, value in answer.items() if key != "cells"})
    sys.stdout.flush()


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def description(request: dict[str, Any]) -> dict[str, Any]:
    """Of a cell with the tasks and the delay that the request names."""
    tasks = request["params"].get("tasks", 10)
    if not 1 <= tasks <= 100_000:
        return {"outcome": "usage", "reason": f"tasks is {tasks}: {request['workload']} takes from 1 to 100000"}
    made = cell(request["workload"], tasks)
    return {"outcome": "ok", "cell": {**made, "params": {**made["params"], **request["params"]}, "sizes": []}}


def cell(workload: str, units: int) -> dict[str, Any]:
    usual = {
        "workload": workload,
        "class": "cpu" if workload == "spin" else "io",
        "question": f"what does it cost to {workload}?",
        "params": {"tasks": units, "delay_us": 5},
        "sizes": CONFIG.get("lists", ["quick", "full"]),
        "metric": "time",
        "unit": "items",
        "units": units,
        "scheduled": units,
        **({} if "bare_ns" in CONFIG else {"bound_ns": 1000}),
        "bound": "tasks / cores",
        "status": "ok",
        "reason": "",
    }
    return {**usual, **CONFIG.get("cells", {}).get(workload, {})}


def samples_before() -> int:
    """Of this model, in all its processes: a byte for each."""
    with open(f"{CONFIG['state']}.samples", "ab") as file:
        file.write(b".")
        return file.tell() - 1


def answer_to(request: dict[str, Any], number: int) -> dict[str, Any]:
    if request["do"] == "describe":
        return (
            {"outcome": "usage", "reason": "'do' is one of gate, sample, quit"}
            if CONFIG.get("own_sizes_only")
            else description(request)
        )
    units = request["params"]["tasks"]
    if request["do"] == "gate":
        time.sleep(CONFIG.get("gate_s", 0))
        account = {"executions": units, "peak_alive": 2, "threads": 1, "processes": 1, "kernel_objects": []}
        return {
            "outcome": "ok",
            "account": account,
            **({"bare_ns": CONFIG["bare_ns"]} if CONFIG.get("bare_ns") is not None else {}),
        }
    time.sleep(CONFIG.get("sleep_s", 0))
    iterations = request["iterations"]
    if not isinstance(request.get("untimed", 0), int):
        return {"outcome": "usage", "reason": "untimed is no number"}
    jitter = 1 + 0.01 * ((number * 7919) % 10)
    if "noise" in CONFIG:
        jitter = 1 + CONFIG["noise"] * (zlib.crc32(f"{CONFIG['model']} {samples_before()}".encode()) % 10)
    slower = 10 if number > CONFIG.get("slower_after", 1_000_000) else 1
    wall = round(iterations * units * CONFIG.get("unit_ns", 100_000) * jitter * slower)
    latency: dict[str, Any] = {}
    if (per_s := request["params"].get("rate_per_s")) is not None:
        wall = round(iterations * units * 1e9 / per_s) if per_s else wall
        latency = {"latency": {kind: [[50_000, iterations * units]] for kind in ("intended", "service")}}
    more: dict[str, Any] = CONFIG.get("more", {})
    return (
        latency
        | {
            "outcome": "ok",
            "iterations": iterations,
            "units": units * iterations,
            "scheduled": units * iterations,
            "checksum": f"{request['workload']}-{units}",
            "start_ns": time.monotonic_ns(),
            "wall_ns": wall,
            "cpu_user_ns": round(wall * CONFIG.get("cpu", 1)),
            "cpu_sys_ns": 0,
            "voluntary_switches": 3,
        }
        | ({"origin_cpu_ns": round(wall * CONFIG["origin_share"])} if "origin_share" in CONFIG else {})
        | more
    )


def leave_children() -> None:
    """A worker in the process group, one that has left it, its session and its parent, and a temporary file."""
    tempfile.mkstemp()
    worker = ["/bin/sleep", str(CONFIG["children"])]
    subprocess.Popen(worker)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(worker[0], worker)
        os._exit(0)


def main() -> None:
    if CONFIG.get("children"):
        leave_children()
    print("library was built as DEBUG", file=sys.stderr, flush=True)
    hello = {
        "protocol": 1,
        "model": CONFIG["model"],
        "family": CONFIG.get("family", "threads"),
        "variant_of": CONFIG["model"],
        "engineering": CONFIG.get("engineering", "best"),
        "channel_order": "fifo",
        "at_once": 2,
        "resources": {"threads": 2, "processes": 1},
        "versions": {"compiler": "double 1.0"},
        "start_up_ns": 1000,
        "pid": os.getpid(),
        "worker_pids": [],
        "verbs": {"can_sleep": "", "can_fork": "has one thread only"},
        "cells": [cell(workload, units) for workload in WORKLOADS for units in CONFIG.get("sizes", [10])],
        "options": sys.argv[2:],
        "preload": os.environ.get("LD_PRELOAD"),
        **CONFIG.get("hello", {}),
    }
    if strikes("hello", ""):
        misbehave(hello)
    else:
        say(hello)
    for number, line in enumerate(sys.stdin):
        request = json.loads(line)
        if "requests" in CONFIG:
            with open(CONFIG["requests"], "a") as requests:
                requests.write(line)
        answer = answer_to(request, number)
        if strikes(request["do"], request["workload"]):
            misbehave(answer)
        else:
            say(answer)


main()

"""Runs that were never measured: known truth plus the stated noise model, in the shape of run.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FAMILIES = {
    "serial": "serial",
    "event_loop": "event_loop",
    "event_loop_uring": "event_loop",
    "thread_pool": "threads",
    "thread_pool_wide": "threads",
    "process_pool": "processes",
    "fibers": "fibers",
    "tbb_tasks": "tbb",
    "tbb_resumable": "tbb",
    "asio": "peer",
}
ENGINEERING = {"tbb_tasks": "library", "tbb_resumable": "library", "asio": "library"}
# of which models
TEXTBOOKS = {
    "event_loop_tasks": "event_loop",
    "thread_pool_queue": "thread_pool",
    "process_pool_pipe": "process_pool",
    "fibers_stock": "fibers",
}


THREADS = {"serial": 1, "event_loop": 1, "event_loop_uring": 1, "thread_pool_wide": 256, "fibers": 1, "asio": 1}


def log_noise(generator: np.random.Generator, shape: tuple[int, ...], cv: float, shared: float = 0.5) -> np.ndarray:
    """Logarithms of noise, shape (..., rounds, models): log-normal with coefficient of variation `cv`, the part
    `shared` of its variance common to all models of a round; 5 % of rounds are slow by a heavy-tailed factor of their
    own for each model."""
    sigma = np.sqrt(np.log1p(cv * cv))
    rounds = (*shape[:-1], 1)
    common = sigma * np.sqrt(shared) * generator.standard_normal(rounds)
    own = sigma * np.sqrt(1 - shared) * generator.standard_normal(shape)
    slow = (generator.random(rounds) < 0.05) * np.log1p(generator.exponential(1.0, shape))
    return common + own + slow


def sample(
    round: int, position: int, wall_ns: float, cpu_ns: float, memory: float = 8e6, process: int = 0
) -> dict[str, Any]:
    iterations = 3
    return {
        "process": process,
        "round": round,
        "position": position,
        "iterations": iterations,
        "start_ns": 1_000_000_000 * round + position,
        "wall_ns": int(wall_ns * iterations),
        "cpu_user_ns": int(cpu_ns * iterations * 0.6),
        "cpu_sys_ns": int(cpu_ns * iterations * 0.4),
        "peak_rss_bytes": int(memory),
        "foreign_share": 0.01,
    }


def cell(model: str, workload: str, params: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    tail = "".join(f"/{key}:{value}" for key, value in params.items())
    return {
        "id": f"{workload}/model:{model}{tail}",
        "case": f"{workload}{tail}",
        "model": model,
        "workload": workload,
        "params": dict(params),
        "status": "ok",
        "reason": "",
        "metric": "time",
        "unit": "items",
        "units": 100,
        "scheduled": 100,
        "bound_ns": None,
        "bound": "",
        "checksum": "9f3a5c0011d2e4b7",
        "iterations": 3,
        "single_ns": None,
        "projected_ns": None,
        "stopped": None,
        "failures": [],
        "account": {"executions": 100, "threads": THREADS.get(model, 2), "processes": 1, "kernel_objects": []},
        "samples": [],
    } | changes


def run(
    models: Sequence[str], workloads: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], **parts: Any
) -> dict[str, Any]:
    """A run.json around the cells. `parts` replaces top-level keys."""
    rounds = max((s["round"] + 1 for c in cells for s in c["samples"]), default=0)
    return {
        "schema_version": {"major": 1, "minor": 0},
        "run": {
            "id": "synthetic",
            "tool_version": "0.1",
            "command_line": ["scripts/crossover", "run", "--quick"],
            "started_utc": "2024-03-01T12:00:00Z",
            "finished_utc": "2024-03-01T12:00:51Z",
            "duration_ns": 51_000_000_000,
            "mode": "quick",
            "seed": 7,
            "time_budget_ns": 60_000_000_000,
            "cores": 2,
            "processes": 1,
            "rounds_done": rounds,
            "complete": True,
            "stop_reason": "all rounds done",
        },
        "source": {"git_sha": "0123456789abcdef0123456789abcdef01234567", "dirty": False, "describe": "0123456"},
        "build": {"versions": {"compiler": "g++ 12.2.0", "flags": "-O2 -DNDEBUG"}},
        "host": {
            "os": "Debian GNU/Linux 12",
            "kernel": "6.1.0",
            "arch": "x86_64",
            "cpu_model": "A CPU of 2 cores",
            "logical_cores": 2,
            "physical_cores": 2,
            "mem_bytes": 8 * 2**30,
            "container": False,
        },
        "settings": {"affinity": [0, 1], "cgroup": {"version": 2, "cpu_max": None}, "governor": None, "turbo": None},
        "noise": {
            "load_start": 0.1,
            "load_end": 1.2,
            "foreign_share": 0.01,
            "steal_share": 0.0,
            "driver_cpu_ns": 1,
            "driver_cpu_share": 0.01,
            "warnings": [],
        },
        "models": [
            {
                "id": id,
                "family": FAMILIES.get(TEXTBOOKS.get(id, id), "peer"),
                "variant_of": TEXTBOOKS.get(id, id),
                "engineering": "textbook" if id in TEXTBOOKS else ENGINEERING.get(id, "best"),
                "semaphore_order": "barging",
                "channel_order": None if id == "serial" else "barging",
                "status": "ok",
                "reason": "",
                "at_once": 2,
                "resources": {"threads": THREADS.get(id, 2), "processes": 1},
                "versions": {},
                "verbs": {},
                "start_up_ns": 300_000,
                "starts": 1,
            }
            for id in models
        ],
        "workloads": [
            {"question": f"what does {w['id']} cost?", "metric": "time", "unit": "items"} | dict(w) for w in workloads
        ],
        "cells": list(cells),
        "visits": [],
    } | parts


def measured(
    model_values: Mapping[str, tuple[float, float]],
    workload: str,
    params: Mapping[str, Any],
    rounds: int,
    cv: float,
    seed: int,
    **changes: Any,
) -> list[dict[str, Any]]:
    """Cells of one case. `model_values`: model → true (time, CPU) in ns of one iteration. Each model starts anew every
    6 rounds, as in a run."""
    generator = np.random.default_rng(seed)
    names = list(model_values)
    noise = np.exp(log_noise(generator, (rounds, len(names)), cv))
    cpu_noise = np.exp(log_noise(generator, (rounds, len(names)), cv / 4))
    return [
        cell(
            name,
            workload,
            params,
            samples=[
                sample(
                    r,
                    column,
                    model_values[name][0] * noise[r, column],
                    model_values[name][1] * cpu_noise[r, column],
                    6e6 * (1 + column),
                    r // 6,
                )
                for r in range(rounds)
            ],
            **changes,
        )
        for column, name in enumerate(names)
    ]


def _unsupported(model: str, workload: str, params: Mapping[str, Any], reason: str, **changes: Any) -> dict[str, Any]:
    return cell(model, workload, params, status="unsupported", reason=reason, samples=[], **changes)


def _waiting(workload: str, tasks: int, delay_us: int, seed: int, rounds: int) -> list[dict[str, Any]]:
    """Waits that loops and fibers do best, and the outcomes that waiting brings: too few at once, projected, stopped,
    wrong."""
    delay = delay_us * 1e3
    params = {"tasks": tasks, "delay_us": delay_us, "in_flight": tasks}
    work = tasks * 700.0
    values = {
        "event_loop": (delay + work, work),
        "event_loop_uring": (delay + work * 0.97, work * 0.93),
        "thread_pool_wide": (delay * max(1.0, tasks / 256) + work * 8, work * 9),
        "fibers": (delay + work * 1.01, work * 1.3),
        "tbb_resumable": (delay + work * 1.6, work * 2.1),
        "asio": (delay + work * 1.2, work * 1.25),
    }
    bound = {"bound_ns": int(delay), "bound": "delay × ceil(tasks / in_flight)"}
    cells = measured(values, workload, params, rounds, 0.02, seed, **bound)
    cells += [
        _unsupported(m, workload, params, f"needs {tasks} at once, has 2", **bound)
        for m in ("thread_pool", "process_pool", "tbb_tasks")
    ]
    serial = {
        "status": "projected",
        "reason": "one iteration would take at least 10 s",
        "projected_ns": int(delay * tasks),
    }
    if tasks <= 100:
        serial = {"stopped": {"rounds": 3, "reason": "clearly slower after 3 rounds"}}
        slow = measured({"serial": (delay * tasks, work * 0.8)}, workload, params, 3, 0.02, seed + 1, **bound)
        cells += [slow[0] | serial]
    else:
        cells.append(cell("serial", workload, params, **serial, **bound))
    return cells


def _computing(workload: str, size: int, body_ns: float, seed: int, rounds: int, cv: float) -> list[dict[str, Any]]:
    """Work that two cores share; what a task costs decides while it is small."""
    params = {"items": size, "grain": int(body_ns)}
    work = size * body_ns
    cost = {
        "event_loop": 60,
        "event_loop_uring": 60,
        "thread_pool": 900,
        "thread_pool_wide": 2500,
        "process_pool": 1400,
        "fibers": 150,
        "tbb_tasks": 300,
        "asio": 90,
    }
    single = {"event_loop", "event_loop_uring", "fibers", "asio"}
    values = {m: ((work + c * size) / (1 if m in single else 2), work + c * size) for m, c in cost.items()}
    values["serial"] = (work + 5.0 * size, work + 5.0 * size)
    bound = {"bound_ns": int(work / 2), "bound": "items × body / cores"}
    cells = measured(values, workload, params, rounds, cv, seed, **bound)
    return cells + [
        _unsupported("tbb_resumable", workload, params, "does not wait, so it is the same as tbb_tasks", **bound)
    ]


def _mixing(tasks: int, wait_us: int, steps: int, seed: int, rounds: int) -> list[dict[str, Any]]:
    """Waiting, then computing of 1.2 ns a step: one thread is the least overhead, several use both cores."""
    wait, body = 1e3 * wait_us, 1.2 * steps
    overhead = {"serial": 10, "event_loop": 500, "fibers": 600, "tbb_resumable": 1500, "thread_pool_wide": 6000}
    width = {"serial": 1, "thread_pool_wide": 256}
    cores = {"thread_pool_wide": 2.0, "tbb_resumable": 1.9}
    values = {}
    for model, extra in overhead.items():
        cpu = tasks * (body + extra)
        values[model] = (max(1.0, tasks / width.get(model, tasks)) * wait + cpu / cores.get(model, 1.0), cpu)
    return measured(
        values, "mixed", {"tasks": tasks, "wait_us": wait_us, "steps": steps, "in_flight": tasks}, rounds, 0.02, seed
    )


def delays(median_ns: float, tail: float, count: int) -> dict[str, Any]:
    """Latencies of one sample in a few buckets: service is what the tail was not."""
    buckets = [[int(median_ns * 1.1**power), max(1, int(count * tail**power))] for power in range(24)]
    return {"intended": buckets, "service": [[ns, n] for ns, n in buckets if ns < median_ns * 3]}


def _latent(cells: list[dict[str, Any]], tail: Mapping[str, float]) -> list[dict[str, Any]]:
    for c in cells:
        for s in c["samples"]:
            s["latency"] = delays(s["wall_ns"] / s["iterations"] / 100, tail.get(c["model"], 0.6), 400)
        c["metric"] = "latency"
    return cells


def realistic(rounds: int = 24, seed: int = 1, **parts: Any) -> dict[str, Any]:
    """Ten models, fifteen workloads: verdicts of every kind, unsupported, projected, stopped, wrong, crashed and
    server-bound cells."""
    cells: list[dict[str, Any]] = []
    for place, tasks in enumerate((10, 100, 1000)):
        cells += _waiting("sleepers", tasks, 5000, seed + place, rounds)
        cells += _waiting("fetch", tasks, 1000 if tasks > 10 else 0, seed + 10 + place, rounds)
    for place, tasks in enumerate((100, 1000)):
        cells += _waiting("fetch_connect", tasks, 5000, seed + 20 + place, rounds)
        cells += _waiting("timeouts", tasks, 2000, seed + 30 + place, rounds)
        cells += _waiting("idle_tasks", tasks, 10_000, seed + 40 + place, rounds)
        for number, (wait_us, steps) in enumerate(((0, 10_000), (1000, 1000), (1000, 100_000), (10_000, 10_000))):
            cells += _mixing(tasks, wait_us, steps, seed + 50 + 10 * place + number, rounds)
    for place, body in enumerate((10.0, 300.0, 100_000.0)):
        cells += _computing("sum_squares", 200, body, seed + 60 + place, rounds, 0.03)
        cells += _computing("mandelbrot", 64, body * 4, seed + 70 + place, rounds, 0.1)
        cells += _computing("spawn", 1000, body / 10, seed + 80 + place, rounds, 0.3)
    for place, body in enumerate((500.0, 50_000.0)):
        cells += _computing("fib", 400, body, seed + 90 + place, rounds, 0.05)
        cells += _computing("producer_consumer", 500, body / 20, seed + 100 + place, rounds, 0.15)
        heavy = {
            "event_loop": (body * 900, body * 900),
            "thread_pool_wide": (body * 500, body * 950),
            "fibers": (body * 910, body * 910),
        }
        cells += _latent(
            measured(heavy, "responsiveness", {"tasks": 10, "steps": int(body)}, rounds, 0.05, seed + 110 + place),
            {"event_loop": 0.8},
        )
        rate = {"connections": 16, "requests": 1000, "bytes": 64, "rate_per_s": int(body * 10)}
        cells += _latent(
            measured(
                heavy | {"asio": (body * 950, body * 920)}, "echo_at_rate", rate, rounds, 0.05, seed + 120 + place
            ),
            {"fibers": 0.7},
        )
    cells += measured(
        {"event_loop": (1e6, 1e6), "fibers": (1.03e6, 1.03e6)},
        "yield",
        {"items": 3, "grain": 0},
        rounds,
        0.004,
        seed + 132,
    )
    cells += _computing("yield", 1000, 20.0, seed + 130, rounds, 0.05) + _computing(
        "ping_pong", 1000, 200.0, seed + 131, rounds, 0.05
    )
    for c in cells:
        if c["workload"] == "fetch" and c["params"]["delay_us"] == 0 and c["status"] == "ok":
            c.update(status="server_bound", reason="the origin used 98 % of its core")
        if c["workload"] == "idle_tasks":
            c["metric"] = "memory"
        if c["workload"] == "mandelbrot" and c["model"] == "fibers" and c["params"]["grain"] == 1200:
            c.update(
                status="wrong",
                reason="item 7 ran twice",
                samples=[],
                failures=[{"outcome": "wrong", "reason": "item 7 ran twice", "during": "gate", "round": None}],
            )
        if c["workload"] == "fib" and c["model"] == "process_pool":
            c.update(status="crashed", reason="killed by signal 11 (SIGSEGV) in round 4", samples=c["samples"][:4])
    classes = {
        "sleepers": "io",
        "fetch": "io",
        "fetch_connect": "io",
        "sum_squares": "cpu",
        "mandelbrot": "cpu",
        "fib": "cpu",
        "echo_at_rate": "io",
        "responsiveness": "mixed",
        "yield": "coordination",
        "ping_pong": "coordination",
        "spawn": "coordination",
        "producer_consumer": "coordination",
        "mixed": "mixed",
        "timeouts": "lessons",
        "idle_tasks": "memory",
    }
    metrics = {"idle_tasks": "memory", "responsiveness": "latency", "echo_at_rate": "latency"}
    workloads = [{"id": id, "class": c, "metric": metrics.get(id, "time")} for id, c in classes.items()]
    return run(list(FAMILIES), workloads, cells, **parts)

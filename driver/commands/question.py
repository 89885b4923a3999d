"""The question that `crossover advise` is asked, as the command line says it."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from driver.problem import Exit, Problem

_TIMES = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MOST_TASKS = 100_000_000
_MOST_NS = 86_400e9
_MOST_BYTES = 1 << 60


@dataclass(frozen=True)
class Request:
    """A question to `crossover advise`, as the command line puts it. Times are in ns."""

    tasks: int
    wait_ns: float
    compute_ns: float
    blocking_library: bool
    memory_bytes: int | None
    run: Path | None
    measure: bool
    again: str  # the command that measures what is asked

    @classmethod
    def of(cls, options: argparse.Namespace) -> Request:
        """From the command line. A Problem for a value that cannot be."""
        limits = ["--blocking-library"] * options.blocking_library + (
            [f"--memory {options.memory}"] if options.memory is not None else []
        )
        return cls(
            tasks=parse_tasks(options.tasks),
            wait_ns=parse_time("--wait", options.wait),
            compute_ns=parse_time("--compute", options.compute),
            blocking_library=options.blocking_library,
            memory_bytes=parse_memory(options.memory) if options.memory is not None else None,
            run=options.run,
            measure=options.measure,
            again=" ".join(
                [
                    (
                        f"scripts/crossover advise --tasks {options.tasks} --wait {options.wait} --compute"
                        f" {options.compute}"
                    ),
                    *limits,
                    "--measure",
                ]
            ),
        )

    def __post_init__(self) -> None:
        if self.measure and self.run is not None:
            raise Problem("--measure makes a run of its own to answer from: leave out --run", Exit.USAGE)
        if not self.wait_ns and not self.compute_ns:
            raise Problem(
                "--wait 0 --compute 0: tasks that neither wait nor compute need no model: give one of them above 0",
                Exit.USAGE,
            )


def parse_time(option: str, text: str) -> float:
    """ns of 20ms, 200us, 1.5s or 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s)", text)
    if match is None and text != "0":
        raise Problem(f"{option} {text} is not a time: write 20ms, 200us, 1.5s or 0", Exit.USAGE)
    value = float(match[1]) * _TIMES[match[2]] if match else 0.0
    if value > _MOST_NS:
        raise Problem(f"{option} {text} is over a day", Exit.USAGE)
    return value


def parse_tasks(text: str) -> int:
    """How many tasks --tasks names. A Problem if that is not a number in range."""
    tasks = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
    if not 1 <= tasks <= _MOST_TASKS:
        raise Problem(f"--tasks {text} is not a number from 1 to {_MOST_TASKS:,}", Exit.USAGE)
    return tasks


def parse_memory(text: str) -> int:
    """Bytes of 512M, 2G, 1.5GiB."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", text)
    value = float(match[1]) * _SIZES[match[2]] if match else 0
    if not 1 <= value <= _MOST_BYTES:
        raise Problem(f"--memory {text} is not a size: write 512M or 2G", Exit.USAGE)
    return round(value)

"""The doctor's A/A probe: the same work in two alternating processes. Their difference is this machine's noise."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from driver.machine import environment
from driver.machine.cores import usable_cores
from driver.session.preset import FULL, QUICK
from vocabulary.looks import LEAST_ROUNDS

_SECONDS = 2.0
_HASHINGS = 60  # about 5 to 10 ms
_SPIN = Path(__file__).with_name("spin.py")


@dataclass(frozen=True)
class Noise:
    """Shares: 0.05 is 5 %."""

    rounds: int
    floor: float  # by how much two equal things seemed to differ
    # mode → the smallest difference between two models that its rounds show to be beyond the margin; None: not known
    resolves: dict[str, float | None]


def take() -> Noise:
    """Takes about two seconds."""
    command = [sys.executable, "-I", "-B", str(_SPIN), str(usable_cores()), str(_HASHINGS)]
    children = [
        subprocess.Popen(
            command, env=environment.of_benches({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for _ in range(2)
    ]
    try:
        for child in children:  # start-up and first touch are not measured
            _spin(child)
        return judge(_rounds(children))
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _rounds(children: list[subprocess.Popen[str]]) -> list[tuple[int, int]]:
    taken: list[tuple[int, int]] = []
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until or len(taken) < LEAST_ROUNDS:
        first = random.random() < 0.5
        one = _spin(children[first])
        other = _spin(children[not first])
        taken.append((other, one) if first else (one, other))
    return taken


def _spin(child: subprocess.Popen[str]) -> int:
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write("\n")
    return int(child.stdout.readline())


def judge(taken: list[tuple[int, int]]) -> Noise:
    """The noise floor, and the differences that runs of this machine can show. `taken`: rounds of two equal processes,
    in ns."""
    from verdicts import statistics

    def bounds(part: list[tuple[int, int]]) -> statistics.Bounds:
        return statistics.bounds([math.log(other / one) for one, other in part])

    resolves: dict[str, float | None] = {}
    for preset in (QUICK, FULL):
        if len(taken) < preset.typical_rounds:
            resolves[preset.name] = None
            continue
        parts = [
            taken[begin : begin + preset.typical_rounds]
            for begin in range(0, len(taken) - preset.typical_rounds + 1, preset.typical_rounds)
        ]
        halves = sorted((found.claim_high - found.claim_low) / 2 for found in map(bounds, parts))
        resolves[preset.name] = statistics.MARGIN * math.exp(halves[len(halves) // 2]) - 1
    return Noise(len(taken), abs(bounds(taken).ratio.value - 1), resolves)

"""The check pass and the timed sample: the last meter is read nearest to the timed region."""

from __future__ import annotations

import os
import time
from typing import Any

from cpython import meters
from cpython.account import WrongResult, open_kernel_objects
from cpython.cells import Cell
from cpython.model import Model, Surroundings
from cpython.origin import Origin
from cpython.items.workloads import Outputs, checksum


class Sampler:
    """`empty`, `open_before`: what the process held before it had a model. Every function raises WrongResult and what
    the items raise."""

    def __init__(
        self, model: Model, around: Surroundings, empty: meters.Footprint, open_before: dict[str, int]
    ) -> None:
        self._model = model
        self._around = around
        self._empty = empty
        self._open_before = open_before
        self._origin = Origin(around.origin) if around.origin else None
        self._passed: dict[str, str] = {}  # key of a cell → checksum of its check pass

    def check_pass(self, cell: Cell) -> dict[str, Any]:
        origin = self._asked_by(cell)
        self._passed.pop(cell.key, None)
        self._around.account.open(cell.items)
        if origin:
            origin.reset_peak()
        outputs = self._pass(cell, counted=True)
        self._check_peak(cell, origin)
        account = self._around.account.total()
        account["kernel_objects"] = self._checked_back_end(cell)
        if account["peak_alive"] > (allowed := cell.workload.in_flight(cell.params)):
            raise WrongResult(f"{account['peak_alive']} items were alive at once, allowed are {allowed}")
        self._passed[cell.key] = self._verified(cell, outputs)
        return account

    def sample(self, cell: Cell, iterations: int, untimed: int) -> dict[str, Any]:
        fresh = bool(cell.row.get("fresh_process"))
        if cell.key not in self._passed and not fresh:
            self.check_pass(cell)
        origin, workers = self._asked_by(cell), self._model.workers
        for _ in range(untimed):
            self._pass(cell, counted=False)
        self._around.latencies.forget()
        passes: list[Outputs] = []
        if origin:
            origin.reset_peak()
        origin_before = origin.cpu_ns() if origin else 0
        meters.forget_peaks(workers)
        before = meters.usage(workers)
        begin = time.monotonic_ns()
        for _ in range(iterations):
            passes.append(self._pass(cell, counted=False))
        wall = time.monotonic_ns() - begin
        used = meters.usage(workers) - before
        held = meters.above(self._empty, meters.footprint(workers), 1 + len(workers))
        sample = {
            "outcome": "ok",
            "iterations": iterations,
            "units": cell.row["units"] * iterations,
            "scheduled": cell.row["scheduled"] * iterations,
            "checksum": self._checked(cell, passes),
            "start_ns": begin,
            "wall_ns": wall,
            "cpu_user_ns": used.cpu_ns - min(used.system_ns, used.cpu_ns),
            "cpu_sys_ns": min(used.system_ns, used.cpu_ns),
            "voluntary_switches": used.voluntary_switches,
            "involuntary_switches": used.involuntary_switches,
            "minor_faults": used.minor_faults,
            "major_faults": used.major_faults,
            "peak_rss_bytes": held.peak_rss,
            "pss_bytes": held.pss,
        }
        if origin:
            sample["origin_cpu_ns"] = origin.cpu_ns() - origin_before
        if cell.workload.latencies:
            sample["latency"] = self._around.latencies.measured()
        if cell.workload.idles:
            sample["notes"] = self._around.idle_times.notes()
        self._check_peak(cell, origin)
        return sample

    def _pass(self, cell: Cell, counted: bool) -> Outputs:
        if cell.workload.idles:
            self._around.idle_times.called(cell.params["hold_us"] * 1000)
        return self._model.run(cell, counted)

    def _asked_by(self, cell: Cell) -> Origin | None:
        return self._origin if "can_connect" in cell.workload.verbs else None

    def _check_peak(self, cell: Cell, origin: Origin | None) -> None:
        """Counted by the server, which knows nothing of the model."""
        if origin and (peak := origin.peak_in_flight()) > cell.params["in_flight"]:
            raise WrongResult(f"the server saw {peak} requests in flight, allowed are {cell.params['in_flight']}")

    def _checked_back_end(self, cell: Cell) -> list[str]:
        now = open_kernel_objects([os.getpid(), *self._model.workers])
        opened = [kind for kind, count in now.items() if count > self._open_before[kind]]
        named = self._model.back_end
        if set(opened) - {named} - self._model.helpers or (named and named not in opened):
            raise WrongResult(
                f"names a back end that it does not run: says {named!r}, runs {', '.join(opened) or 'none'}"
            )
        return opened

    def _verified(self, cell: Cell, outputs: Outputs) -> str:
        if len(outputs) != cell.items:
            raise WrongResult(f"{len(outputs)} outputs, not {cell.items}")
        if mistake := cell.workload.verify(cell.params, outputs):
            raise WrongResult(mistake)
        return checksum(cell.workload, cell.params, outputs)

    def _checked(self, cell: Cell, passes: list[Outputs]) -> str:
        """Every iteration came to what the check pass came to."""
        owed = self._passed.get(cell.key) or self._verified(cell, passes[-1])
        for outputs in passes:
            if checksum(cell.workload, cell.params, outputs) != owed:
                raise WrongResult("the outputs are not those of the check pass")
        return owed

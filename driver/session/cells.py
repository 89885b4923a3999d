"""The models and cells of the hello lines, and the state of each cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from driver.session.protocol import fault_of, quoted

MOST_FAILURES = 2
# ranks: the last ones go first when time is short. A reference is serial, a textbook, and what a claim is judged by
REPRESENTATIVE, REFERENCE, VARIANT = range(3)
BEFORE = "@"  # thread_pool@1a2b3c4 is the program of thread_pool at that revision
LOAD = "load_percent"  # of what the slowest model that competes can serve
LOADS = (50, 70, 90)

Event = dict[str, Any]


class Malformed(Exception):
    """A hello, or a description of a cell, that does not conform to the protocol."""


@dataclass(frozen=True)
class Case:
    """A workload with its params: what models are compared on."""

    name: str
    workload: str
    params: dict[str, Any] = field(hash=False)
    kind: str
    question: str
    metric: str
    unit: str
    # the param of the process that says how many units come per second; here load_percent stands in its place
    paced_by: str = ""


@dataclass
class CellState:
    """What has become of a cell. Changed only by apply(), so that reading a journal and measuring cannot differ."""

    status: str = "ok"
    reason: str = ""
    promised: int = 0  # so many rounds whatever the looks say
    offered_per_s: int | None = None  # chosen from what all models of the case can serve
    saturation_per_s: int | None = None  # what this one can serve
    checksum: str | None = None
    iterations: int | None = None
    check_ns: int | None = None  # the check pass
    single_ns: int | None = None
    asked_ns: int | None = None  # the same with what is done around it and not measured
    projected_ns: int | None = None
    stopped: Event | None = None
    account: Event | None = None
    # beside bound_ns: the shortest time that a process measured for what any model must do
    lower_bound_ns: int | None = None
    failures: list[Event] = field(default_factory=list)
    samples: list[Event] = field(default_factory=list)

    @property
    def given_up(self) -> bool:
        """It has failed too often, or owes other work than most models."""
        return len(self.failures) >= MOST_FAILURES or any(failure["during"] == "checks" for failure in self.failures)

    @property
    def waits(self) -> bool:
        """Still to be measured."""
        return self.status not in ("unsupported", "projected", "not_run") and self.stopped is None and not self.given_up

    @property
    def ready(self) -> bool:
        """Still to be measured, and calibrated."""
        return self.waits and self.iterations is not None

    def apply(self, event: Event) -> None:
        """One event of the journal that names the cell, or a visit of its case."""
        match event["event"]:
            case "saturation":
                self.saturation_per_s = event["per_s"]
            case "pace":
                self.offered_per_s = event["per_s"]
            case "gate":
                self.account, self.check_ns = event["account"], event.get("took_ns")
                if "bare_ns" in event:
                    bare_ns = int(event["bare_ns"])
                    self.lower_bound_ns = min(bare_ns, self.lower_bound_ns or bare_ns)
            case "calibration":
                self.iterations, self.single_ns, self.checksum = (
                    event["iterations"],
                    event["single_ns"],
                    event["checksum"],
                )
                self.asked_ns = event["asked_ns"]
            case "sample":
                self.samples.append({key: value for key, value in event.items() if key not in ("event", "cell")})
            case "visit":
                if self.samples and self.samples[-1]["round"] == event["round"]:
                    self.samples[-1]["foreign_share"] = event["foreign_share"]
            case "failure":
                self.failures.append({key: event[key] for key in ("outcome", "reason", "during", "round")})
                self.status, self.reason = event["outcome"], event["reason"]
            case "unsupported":
                self.status, self.reason = "unsupported", event["reason"]
            case "projected":
                self.status, self.reason, self.projected_ns = "projected", event["reason"], event["projected_ns"]
            case "promised":
                self.promised = event["rounds"]
            case "left_out":
                self.status, self.reason = "not_run", event["reason"]
            case "stopped":
                self.stopped = {"rounds": event["rounds"], "reason": event["reason"]}


@dataclass(frozen=True)
class Cell:
    """A case on one model: what its hello says of it, and what the run has chosen it for."""

    case: Case
    model: str
    units: int
    scheduled: int
    listed_bound_ns: int | None
    bound: str
    listed_least_ns: int
    sizes: tuple[str, ...]
    in_flight: int | None = None  # items that may be alive at once; None: no limit
    fresh_process: bool = False  # each sample wants a process in which nothing ran before
    listed_per_s: int = 0  # for which listed_bound_ns and listed_least_ns hold, of a case that is paced
    rank: int = 0  # what goes first when time is short has the highest
    claimed: bool = False  # the report judges by it what the tutorials say: it is never stopped before the least rounds
    paired: bool = False  # a native twin, or the model that it is the twin of
    # the run is made for its model (--focus, --against): never left out for others, nor stopped before the first look
    in_front: bool = False
    # the user asked for it on the command line: it has more rounds than any verdict may stop it before
    named: bool = False
    shown_only: bool = False  # beside those that compete: the least rounds are enough
    known_ns: int | None = None  # what an iteration took when it was last measured on this host
    state: CellState = field(default_factory=CellState)

    @property
    def id(self) -> str:
        """As Google Benchmark names it: fetch/model:event_loop/requests:1000."""
        parts = self.case.name.split("/")
        return "/".join([parts[0], f"model:{self.model}", *parts[1:]])

    @property
    def followed(self) -> bool:
        """It has rounds enough whether or not its case is decided: what a claim says, or what the suite costs, rests on
        them."""
        return self.claimed or self.paired or self.in_front

    @property
    def paced(self) -> bool:
        """How fast its work comes is known, or nobody's choice."""
        return not self.case.paced_by or self.state.offered_per_s is not None

    @property
    def bound_ns(self) -> int | None:
        """At the chosen arrival rate."""
        return None if self.listed_bound_ns is None else self._at_the_chosen_rate(self.listed_bound_ns)

    @property
    def least_ns(self) -> int:
        """The same of this model."""
        return self._at_the_chosen_rate(self.listed_least_ns)

    def _at_the_chosen_rate(self, listed_ns: int) -> int:
        return (
            listed_ns if self.state.offered_per_s is None else listed_ns * self.listed_per_s // self.state.offered_per_s
        )

    def asked(self, per_s: int | None = None) -> dict[str, Any]:
        """The params as the process knows them; `per_s` instead of the chosen arrival rate, 0: as fast as it
        answers."""
        if not self.case.paced_by:
            return self.case.params
        params = {name: value for name, value in self.case.params.items() if name != LOAD}
        return {**params, self.case.paced_by: self.state.offered_per_s if per_s is None else per_s}


@dataclass
class Model:
    """A model of the run: what it said of itself, and how often it was started."""

    id: str
    status: str = "ok"
    reason: str = ""
    hello: Event = field(default_factory=dict)
    twin_of: str | None = None
    before_of: str | None = None  # the model whose program at another revision it is
    starts: int = 0


def _loads(row: Event) -> list[dict[str, Any]]:
    """The params of the row's cases: itself, or one for each load where the arrival rate is ours to choose."""
    params, paced_by = row["params"], row.get("paced_by")
    if not paced_by:
        return [params]
    if not params.get(paced_by):
        raise Malformed(f"{paced_by} is {quoted(params.get(paced_by))}, which is no rate")
    return [{**{name: value for name, value in params.items() if name != paced_by}, LOAD: load} for load in LOADS]


def _case(row: Event, params: dict[str, Any], known: dict[tuple[str, str], Case]) -> Case:
    key = (row["workload"], repr(sorted(params.items())))
    if key not in known:
        name = "/".join([row["workload"], *(f"{name}:{value}" for name, value in params.items())])
        known[key] = Case(
            name,
            row["workload"],
            params,
            row["class"],
            row["question"],
            row["metric"],
            row["unit"],
            row.get("paced_by", ""),
        )
    return known[key]


def read_hello(hello: Event, model: str, known: dict[tuple[str, str], Case], size: str | None = None) -> list[Cell]:
    """Adds cases that no model has named before to `known`. With `size` only the cells of that list, one in twenty.
    Raises Malformed."""
    rows = hello.get("cells")
    if fault := fault_of("hello", {**hello, "cells": []} if isinstance(rows, list) else hello):
        raise Malformed(fault)
    if hello["model"] != model.partition(BEFORE)[0]:
        raise Malformed(f"the process of {model} calls itself {quoted(hello['model'])}")
    cells = [
        cell
        for row in hello["cells"]
        if size is None or not _is_of_another_list(row, size)
        for cell in cells_of_row(row, known, model)
    ]
    if len({cell.id for cell in cells}) < len(cells):
        raise Malformed("a cell is listed twice")
    return cells


def _is_of_another_list(row: Any, size: str) -> bool:
    """Of such a row only the workload is of use."""
    return (
        isinstance(row, dict)
        and isinstance(row.get("workload"), str)
        and isinstance(row.get("sizes"), list)
        and size not in row["sizes"]
    )


def cells_of_row(row: Any, known: dict[tuple[str, str], Case], model: str) -> list[Cell]:
    """One, or one for each load. Raises Malformed."""
    if fault := fault_of("cell", row):
        raise Malformed(f"a cell: {fault}")
    return [_cell(row, _case(row, params, known), model) for params in _loads(row)]


def _cell(row: Event, case: Case, model: str) -> Cell:
    return Cell(
        case=case,
        model=model,
        units=row["units"],
        scheduled=row["scheduled"],
        listed_bound_ns=row.get("bound_ns"),
        bound=row.get("bound", ""),
        listed_least_ns=max(row.get("bound_ns", 0), row.get("least_ns", 0)),
        sizes=tuple(row["sizes"]),
        fresh_process=row.get("fresh_process", False),
        in_flight=row.get("in_flight"),
        listed_per_s=row["params"].get(case.paced_by, 0),
        state=CellState() if row["status"] == "ok" else CellState("unsupported", row["reason"]),
    )


def grouped(cells: Iterable[Cell], key: Callable[[Cell], str]) -> dict[str, list[Cell]]:
    """Those of each key together, in their order."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return groups


def by_case(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """The cells of each case, by its name, in their order."""
    return grouped(cells, lambda cell: cell.case.name)

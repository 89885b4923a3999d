"""What can be measured: the models and cells of the hello lines, and what has become of each cell."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

METRICS = ("time", "cpu", "latency", "memory")
ENGINEERING = ("textbook", "best", "library")
ORDERS = ("fifo", "barging")
CLASSES = ("io", "cpu", "coordination", "mixed", "lessons", "memory")
MOST_FAILURES = 2
REPRESENTATIVE, REFERENCE, VARIANT = range(3)  # ranks: the last ones go first when time is short. A reference is serial, a textbook, and what a claim is judged by
BEFORE = "@"  # thread_pool@1a2b3c4 is the program of thread_pool at that revision
LOAD = "load_percent"  # of what the slowest model that competes can serve
LOADS = (50, 70, 90)

Event = dict[str, Any]


class Malformed(Exception):
    """A hello that does not keep to the protocol."""


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
    paced_by: str = ""  # the param of the process that says how many units come per second; here load_percent stands in its place


@dataclass
class Cell:
    """A case on one model. Changed only by apply(), so that reading a journal and measuring cannot differ."""

    case: Case
    model: str
    units: int
    scheduled: int
    bound_ns: int | None
    bound: str
    least_ns: int
    sizes: tuple[str, ...]
    in_flight: int | None = None  # items that may be alive at once; None: no limit
    fresh_process: bool = False  # each sample wants a process in which nothing ran before
    rank: int = 0  # what goes first when time is short has the highest
    claimed: bool = False  # the report judges by it what the tutorials say: it is never stopped before the least rounds
    paired: bool = False  # a native twin, or the model that it is the twin of
    in_front: bool = False  # the run is made for its model (--focus, --against): never left out for others, nor stopped before the first look
    named: bool = False  # the user asked for it on the command line: it has more rounds than any verdict may stop it before
    promised: int = 0  # so many rounds whatever the looks say
    shown_only: bool = False  # beside those that compete: the least rounds are enough
    listed_per_s: int = 0  # for which bound_ns and least_ns hold, of a case that is paced
    offered_per_s: int | None = None  # chosen from what all models of the case can serve
    saturation_per_s: int | None = None  # what this one can serve
    status: str = "ok"
    reason: str = ""
    checksum: str | None = None
    iterations: int | None = None
    known_ns: int | None = None  # what an iteration took when it was last measured on this host
    gate_ns: int | None = None  # the check pass
    single_ns: int | None = None
    asked_ns: int | None = None  # the same with what is done around it and not measured
    projected_ns: int | None = None
    stopped: Event | None = None
    account: Event | None = None
    bare_ns: int | None = None  # beside bound_ns: the shortest time that a process measured for what any model must do
    failures: list[Event] = field(default_factory=list)
    samples: list[Event] = field(default_factory=list)

    @property
    def id(self) -> str:
        parts = self.case.name.split("/")
        return "/".join([parts[0], f"model:{self.model}", *parts[1:]])

    @property
    def given_up(self) -> bool:
        return len(self.failures) >= MOST_FAILURES or any(failure["during"] == "checks" for failure in self.failures)

    @property
    def followed(self) -> bool:
        """It has rounds enough whether or not its case is decided: what a claim says, or what the suite costs, rests on them."""
        return self.claimed or self.paired or self.in_front

    @property
    def waits(self) -> bool:
        """Still to be measured."""
        return self.status not in ("unsupported", "projected", "not_run") and self.stopped is None and not self.given_up

    @property
    def paced(self) -> bool:
        """How fast its work comes is known, or nobody's choice."""
        return not self.case.paced_by or self.offered_per_s is not None

    def asked(self, per_s: int | None = None) -> dict[str, Any]:
        """The params as the process knows them; `per_s` instead of the chosen pace, 0: as fast as it answers."""
        if not self.case.paced_by:
            return self.case.params
        params = {name: value for name, value in self.case.params.items() if name != LOAD}
        return {**params, self.case.paced_by: self.offered_per_s if per_s is None else per_s}

    def apply(self, event: Event) -> None:
        match event["event"]:
            case "saturation":
                self.saturation_per_s = event["per_s"]
            case "pace":
                self.offered_per_s = event["per_s"]
                self.bound_ns = (self.bound_ns or 0) * self.listed_per_s // event["per_s"]
                self.least_ns = self.least_ns * self.listed_per_s // event["per_s"]
            case "gate":
                self.account, self.gate_ns = event["account"], event.get("took_ns")
                if "bare_ns" in event:
                    bare_ns = int(event["bare_ns"])
                    self.bare_ns = min(bare_ns, self.bare_ns or bare_ns)
            case "calibration":
                self.iterations, self.single_ns, self.checksum = event["iterations"], event["single_ns"], event["checksum"]
                self.asked_ns = event["asked_ns"]
            case "sample":
                self.samples.append({key: value for key, value in event.items() if key not in ("event", "cell")})
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


@dataclass
class Model:
    id: str
    status: str = "ok"
    reason: str = ""
    hello: Event = field(default_factory=dict)
    twin_of: str | None = None
    before_of: str | None = None  # the model whose program at another revision it is
    starts: int = 0


def quoted(value: Any) -> str:
    """What a foreign process wrote, in one line."""
    return json.dumps(value)[:40]


def _field(mapping: Event, key: str, kind: type, *default: Any) -> Any:
    value: Any = mapping.get(key, *default)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Malformed(f"{key} is {quoted(value)}, not {kind.__name__}")
    if isinstance(value, int) and value < 0:
        raise Malformed(f"{key} is negative")
    return value


def _choice(mapping: Event, key: str, choices: tuple[str, ...]) -> str:
    value = _field(mapping, key, str)
    if value not in choices:
        raise Malformed(f"{key} is {quoted(value)}, not one of {', '.join(choices)}")
    return str(value)


def _loads(row: Event) -> list[dict[str, Any]]:
    """The params of the row's cases: itself, or one for each load where the pace is ours to choose."""
    params, paced_by = _field(row, "params", dict), _field(row, "paced_by", str, "")
    if not paced_by:
        return [params]
    if _field(params, paced_by, int) == 0:
        raise Malformed(f"{paced_by} is 0, which is no pace")
    return [{**{name: value for name, value in params.items() if name != paced_by}, LOAD: load} for load in LOADS]


def _case(row: Event, params: dict[str, Any], known: dict[tuple[str, str], Case]) -> Case:
    workload = _field(row, "workload", str)
    key = (workload, repr(sorted(params.items())))
    if key not in known:
        name = "/".join([workload, *(f"{name}:{value}" for name, value in params.items())])
        known[key] = Case(
            name=name,
            workload=workload,
            params=params,
            kind=_choice(row, "class", CLASSES),
            question=_field(row, "question", str),
            metric=_choice(row, "metric", METRICS),
            unit=_field(row, "unit", str),
            paced_by=_field(row, "paced_by", str, ""),
        )
    return known[key]


_TOLD_OF_A_MODEL: tuple[tuple[str, type, tuple[Any, ...]], ...] = (
    ("family", str, ()),
    ("variant_of", str, ()),
    ("native_of", str, ("",)),
    ("at_once", int, (0,)),
    ("start_up_ns", int, (0,)),
    ("resources", dict, ({},)),
    ("versions", dict, ({},)),
    ("verbs", dict, ({},)),
)


_ONE_OF = (("engineering", ENGINEERING), ("semaphore_order", ORDERS), ("channel_order", ORDERS))


def read_hello(hello: Event, model: str, known: dict[tuple[str, str], Case], size: str | None = None) -> list[Cell]:
    """Adds cases that no model has named before to `known`. With `size` only the cells of that list, one in twenty. Raises Malformed."""
    if _field(hello, "model", str) != model.partition(BEFORE)[0]:
        raise Malformed(f"the process of {model} calls itself {quoted(hello['model'])}")
    for key, kind, default in _TOLD_OF_A_MODEL:
        _field(hello, key, kind, *default)
    for key, choices in _ONE_OF:
        if key in hello:
            _choice(hello, key, choices)
    cells = []
    for row in _field(hello, "cells", list):
        if size is None or (isinstance(row, dict) and size in _field(row, "sizes", list)):
            cells += cells_of_row(row, known, model)
    if len({cell.id for cell in cells}) < len(cells):
        raise Malformed("a cell is listed twice")
    return cells


def cells_of_row(row: Any, known: dict[tuple[str, str], Case], model: str) -> list[Cell]:
    """One, or one for each load. Raises Malformed."""
    if not isinstance(row, dict):
        raise Malformed("a cell is no object")
    return [_cell(row, _case(row, params, known), model) for params in _loads(row)]


def _cell(row: Event, case: Case, model: str) -> Cell:
    bound = _field(row, "bound_ns", int, 0)
    if _field(row, "status", str) == "ok" and _field(row, "units", int) == 0:
        raise Malformed("units is 0: a cell without work")
    cell = Cell(
        case=case,
        model=model,
        units=_field(row, "units", int),
        scheduled=_field(row, "scheduled", int),
        bound_ns=bound if "bound_ns" in row else None,
        bound=_field(row, "bound", str, ""),
        least_ns=max(bound, _field(row, "least_ns", int, 0)),
        sizes=tuple(str(size) for size in _field(row, "sizes", list)),
        fresh_process=row.get("fresh_process") is True,
        in_flight=_field(row, "in_flight", int) if "in_flight" in row else None,
        listed_per_s=row["params"].get(case.paced_by, 0),
    )
    if _choice(row, "status", ("ok", "unsupported")) == "unsupported":
        cell.status, cell.reason = "unsupported", _field(row, "reason", str)
    return cell

"""A full run without a process and without waiting: a session whose clock is virtual and whose samples are drawn from
an archive of real noise."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from verdicts.deciding import Verdict

from driver.measure.rounds import run_rounds
from driver.measure.case_schedule import schedules
from driver.problem import Interrupted, OutOfTime
from driver.progress import seconds
from driver.session.cells import REFERENCE, REPRESENTATIVE, VARIANT, Case, Cell, Event
from driver.session.preset import FULL, Preset
from driver.session.record import Record

NOISE = Path(__file__).with_name("noise.json.gz")
# by how much a process of a model differs from the next, as the spread of a logarithm: seen in full runs
_PROCESS = 0.01
_RANKS = {"competes": REPRESENTATIVE, "twin": REPRESENTATIVE, "compares": REFERENCE, "shown": VARIANT}


@lru_cache(maxsize=4)
def load(path: Path = NOISE) -> dict[str, Any]:
    """See archive_noise.py."""
    archive = dict(json.loads(gzip.decompress(path.read_bytes())))
    for case in archive["cases"]:
        rounds = sorted({number for cell in case["cells"] for number in cell["rounds"]})
        for cell in case["cells"]:
            cell["of_rounds"] = len(rounds)
            cell["places"] = {rounds.index(number): place for place, number in enumerate(cell["rounds"])}
    return archive


class Journal:
    """Keeps the events in memory; after so many samples the run is interrupted."""

    def __init__(self, most_samples: float = math.inf) -> None:
        self.path = Path("in memory")
        self.events: list[Event] = []
        self.samples = 0
        self._most_samples = most_samples

    def write(self, event: Event) -> None:
        if event["event"] == "sample":
            if self.samples >= self._most_samples:
                raise Interrupted
            self.samples += 1
        self.events.append(event)


class Silent:
    def tell(self, what: str, left_s: float | None = None) -> None:
        pass


class SimulatedSession:
    """What rounds.py and calibrate.py ask of a Session."""

    def __init__(
        self,
        archive: dict[str, Any],
        seed: int,
        preset: Preset = FULL,
        journal: Journal | None = None,
        events: Sequence[Event] = (),
    ) -> None:
        """`events`: of a run that is continued; its time begins anew, as that of a real one does."""
        self.preset = preset
        self.progress = Silent()
        self.in_visits_ns = 0
        self._seed = seed
        self._archive = archive
        self._known = {f"{case['name']} {cell['model']}": cell for case in archive["cases"] for cell in case["cells"]}
        self._clock_ns = archive["before_ns"]
        self._running: set[str] = set()
        # of each model, and apart from that of its cells that want a process of their own: its last process
        self._numbers: dict[str, int] = {}
        self._checked: dict[str, set[str]] = {}  # of each model, the cells that have passed their checks in its process
        cells = {cell.id: cell for case in archive["cases"] for cell in _cells(case)}
        self.record = Record(journal or Journal(), cells)  # type: ignore[arg-type]
        self.record.replay(events)
        for model, told in archive["models"].items():
            self.record.add(
                {
                    "event": "model",
                    "model": model,
                    "status": "ok",
                    "reason": "",
                    "hello": {"resources": {"processes": told["processes"]}},
                }
            )
            self._start(model, model)
        for cell in self.record.cells.values():
            if cell.case.paced_by:
                self.record.add({"event": "pace", "cell": cell.id, "per_s": 1000})

    @property
    def cells(self) -> list[Cell]:
        return sorted(self.record.cells.values(), key=lambda cell: cell.rank)

    def left_ns(self) -> int:
        return self.preset.budget_ns - self._clock_ns

    def process_of(self, cell: Cell) -> int:
        return self._numbers[_process_name(cell)]

    def started(self, cell: Cell) -> bool:
        return cell.model in self._running

    def renew(self, model: str) -> None:
        self._clock_ns += self._archive["end_ns"]
        self._running.discard(model)

    @contextmanager
    def visit(self, cells: list[Cell], number: int) -> Iterator[list[int]]:
        begin_ns = self._clock_ns
        self._clock_ns += self._archive["visit_ns"]
        yield []
        wall_ns = self._clock_ns - begin_ns
        self.in_visits_ns += wall_ns
        self.record.add(
            {
                "event": "visit",
                "round": number,
                "case": cells[0].case.name,
                "wall_ns": wall_ns,
                "foreign_share": 0.0,
                "steal_share": 0.0,
                "noisy": False,
            }
        )

    def check(self, cell: Cell, expected_ns: int, cap_ns: int | None = None) -> int | None:
        took_ns = int(self._of(cell)["gate_ns"])
        self._open(cell, expected_ns)
        if not self._spend(cell, took_ns, "gate", cap_ns):
            return None
        self._checked[cell.model].add(cell.id)
        self.record.add({"event": "gate", "cell": cell.id, "account": None, "took_ns": took_ns})
        return took_ns

    def sample(
        self,
        cell: Cell,
        iterations: int,
        expected_ns: int,
        during: str,
        number: int | None = None,
        *,
        untimed: int = 0,
        per_s: int | None = None,
        cap_ns: int | None = None,
    ) -> dict[str, Any] | None:
        known, begin_ns = self._of(cell), self._clock_ns
        self._open(cell, expected_ns)
        values = {
            metric: self._drawn(cell, metric, during if number is None else str(number)) for metric in known["values"]
        }
        took_ns = round((iterations + untimed) * (values["time"] + known["pass_ns"]) + known["once_ns"])
        if not cell.fresh_process and cell.id not in self._checked[cell.model]:
            took_ns += int(known["gate_ns"])
        if not self._spend(cell, took_ns, during, cap_ns):
            return None
        self._checked[cell.model].add(cell.id)
        wall_ns = max(1, round(iterations * values["time"]))
        found = {
            "iterations": iterations,
            "start_ns": self._clock_ns,
            "wall_ns": wall_ns,
            "cpu_user_ns": round(iterations * values["cpu"]),
            "cpu_sys_ns": 0,
        }
        found |= {share: round(known[share] * wall_ns) for share in ("origin_cpu_ns", "load_cpu_ns") if share in known}
        if "memory" in values:
            found |= dict.fromkeys(("peak_rss_bytes", "pss_bytes"), round(values["memory"]))
        if "latency" in values:
            found["latency"] = {
                kind: [[round(values["latency"]), math.ceil(iterations * known["latencies"])]]
                for kind in ("intended", "service")
            }
        return {
            **found,
            "process": self.process_of(cell),
            "checksum": cell.case.name,
            "asked_ns": self._clock_ns - begin_ns,
        }

    def fail(self, cell: Cell, outcome: str, reason: str, during: str, number: int | None = None) -> None:
        raise AssertionError(f"nothing fails here: {cell.id} {outcome} {reason} {during}")

    def _of(self, cell: Cell) -> dict[str, Any]:
        return self._known[f"{cell.case.name} {cell.model}"]

    def _start(self, model: str, process: str) -> None:
        self._numbers[process] = self.record.start(model)
        if process == model:
            self._running.add(model)
            self._checked[model] = set()

    def _open(self, cell: Cell, expected_ns: int) -> None:
        if self.left_ns() <= expected_ns:
            raise OutOfTime
        if cell.model not in self._running or cell.fresh_process:
            self._clock_ns += self._archive["models"][cell.model]["start_ns"]
            self._start(cell.model, _process_name(cell))

    def _spend(self, cell: Cell, took_ns: int, during: str, cap_ns: int | None) -> bool:
        """False if it was ended at its cap."""
        self._clock_ns += min(took_ns, took_ns if cap_ns is None else cap_ns)
        if self.left_ns() <= 0:
            raise OutOfTime
        if cap_ns is None or took_ns <= cap_ns:
            return True
        self._running.discard(cell.model)
        self.record.add(
            {
                "event": "projected",
                "cell": cell.id,
                "projected_ns": cap_ns,
                "reason": f"projected ≥ {seconds(cap_ns)}: ended when its {during} had taken that long",
            }
        )
        return False

    def _drawn(self, cell: Cell, metric: str, what: str) -> float:
        place = random.Random(f"{self._seed} {cell.case.name} {what}").randrange(1 << 30)
        process = random.Random(f"{self._seed} {cell.id} process {self.process_of(cell)}").gauss(0, _PROCESS)
        return drawn(self._of(cell), metric, place) * (1 if metric == "memory" else math.exp(process))


def _process_name(cell: Cell) -> str:
    return f"{cell.model} once" if cell.fresh_process else cell.model


def drawn(cell: dict[str, Any], metric: str, place: int) -> float:
    """A value of an archived round. Of all models of a case the same round, where they have it: slow moments are slow
    for all."""
    known = cell["values"][metric]
    rounds, most = cell["rounds"], cell["of_rounds"]
    found = cell["places"].get(place % most, place % len(rounds))
    return float(known["typical"] * math.exp(known["off"][found] / 1e4))


def _cells(case: dict[str, Any]) -> list[Cell]:
    known = Case(
        case["name"],
        case["workload"],
        case["params"],
        case["class"],
        "?",
        case["metric"],
        case["unit"],
        "rate_per_s" if case["paced"] else "",
    )
    return [_cell(known, case["bound_ns"], archived) for archived in case["cells"]]


def _cell(case: Case, bound_ns: int | None, archived: dict[str, Any]) -> Cell:
    """As selection.py makes it; what was too dear is known to be."""
    claimed, role, units = archived["claimed"], archived["role"], archived["units"]
    known = {"fresh_process": archived.get("fresh_process", False), "known_ns": archived.get("projected_ns")}
    return Cell(
        case,
        archived["model"],
        units,
        units,
        bound_ns,
        "",
        0,
        ("full",),
        rank=_RANKS[role],
        claimed=claimed,
        shown_only=role == "shown",
        listed_per_s=1000,
        **known,
    )


def truth(case: dict[str, Any], metric: str, over: str, under: str, draws: int = 4000) -> float:
    """The true log ratio: what an endless run would find."""
    cells = {cell["model"]: cell for cell in case["cells"]}
    source = random.Random(f"{case['name']} {metric}")
    places = [source.randrange(1 << 30) for _ in range(draws)]
    logs = sorted(math.log(drawn(cells[over], metric, place) / drawn(cells[under], metric, place)) for place in places)
    middle = logs[draws // 4 : -(draws // 4)]
    return math.fsum(middle) / len(middle)


def simulate(session: SimulatedSession) -> str:
    """Why it stopped."""
    try:
        return run_rounds(session, session.cells, session._seed)  # type: ignore[arg-type]
    except Interrupted:
        return "interrupted"


def verdicts(session: SimulatedSession) -> dict[str, dict[str, Verdict]]:
    """Case → metric → what a report would say."""
    found = {}
    for name, case in schedules(
        session.record.cells.values(), {name: told["processes"] for name, told in session._archive["models"].items()}
    ).items():
        case.follow(session.record.visited[name])
        found[name] = case.verdicts
    return found

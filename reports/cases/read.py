"""Reading results: a results folder or its run.json → Run. What cannot be read is a ReadError of one line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from reports.cases.run import Cell, Model, Run, Workload
from vocabulary.files import RUN
from vocabulary.sample import Sample
from vocabulary.terms import CLASSES, ENGINEERING, ORDERS

MAJOR = 1
_BEYOND = 1 << 63  # all that a run writes
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
T = TypeVar("T")


class ReadError(Exception):
    """One line: which file, what is wrong with it, what to do."""


def read_run(path: Path) -> Run:
    """Reads DIR/run.json, or the file itself."""
    return parse_run(load(path), str(_file(path)))


def _file(path: Path) -> Path:
    return path / RUN if path.is_dir() else path


def load(path: Path) -> Mapping[str, Any]:
    """The document as it stands, of a version that this program knows."""
    file = _file(path)
    document = parse_object(file)
    _check_version(document, str(file))
    return document


def parse_object(
    file: Path, kind: str = "a Crossover run", remedy: str = "give the results folder of a run"
) -> dict[str, Any]:
    """The JSON object in a file that should be of that kind, of whatever version. Raises ReadError."""
    if file.exists() and not file.is_file():  # a pipe would be waited for
        raise ReadError(f"{file}: is no file: give the results folder of a run, e.g. results/<id>")
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReadError(f"{file}: no such file: give the results folder of a run, e.g. results/<id>") from None
    except OSError as error:
        raise ReadError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ReadError(f"{file}: is not a text file: {remedy}") from None
    try:
        document = json.loads(text, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite)
    except RecursionError:
        raise ReadError(f"{file}: is not {kind}: it is nested too deeply") from None
    except ValueError as error:
        cut = "ends too early (truncated?)" if _is_cut(text, error) else f"is not valid JSON ({error})"
        journal = file.parent / "samples.jsonl"
        anew = file.name == RUN and journal.is_file()
        raise ReadError(
            f"{file}: {cut}: "
            + (f"`scripts/crossover run --resume {file.parent}` writes it anew from {journal.name}" if anew else remedy)
        ) from None
    if not isinstance(document, dict):
        raise ReadError(f"{file}: is not {kind}: it holds no JSON object")
    if _HALF.search(text):  # of a character, which nothing can print
        document = json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    return document


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _whole(text: str) -> int:
    number = int(text) if len(text) < 21 else _BEYOND
    if abs(number) >= _BEYOND:
        raise ValueError("a number that does not fit into 64 bits")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond every number")
    return number


def _is_cut(text: str, error: ValueError) -> bool:
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")


def _check_version(document: Mapping[str, Any], name: str) -> None:
    version = document.get("schema_version")
    major = version.get("major") if isinstance(version, dict) else None
    if not isinstance(major, int):
        raise ReadError(f"{name}: is not a Crossover run: it has no schema_version")
    if major > MAJOR:
        raise ReadError(
            f"{name}: has schema version {major}, this program reads up to {MAJOR}: use the Crossover that wrote it, or"
            " a newer one"
        )


def parse_run(document: Mapping[str, Any], name: str) -> Run:
    """Takes a parsed run.json; `name` stands in error messages."""
    _check_version(document, name)
    try:
        models = tuple(_model(m) for m in document["models"])
        workloads = tuple(_workload(w) for w in document["workloads"])
        processes = {m.id: _processes(m) for m in models}
        cells = tuple(_cell(c, processes) for c in document["cells"])
        disturbed = _disturbed(document["visits"])
        parts = {key: _mapping(document[key], key) for key in ("run", "source", "build", "host", "settings", "noise")}
        _optional(parts["run"].get("cores"), _positive)
        for key in ("focus", "against"):
            _optional(parts["run"].get(key), _text)
    except KeyError as error:
        raise ReadError(f"{name}: has no {error}: `scripts/crossover validate` says what else is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise ReadError(f"{name}: has a value of the wrong kind ({error}): see `scripts/crossover validate`") from None
    _check(models, workloads, cells, name)
    twins = {m.id: m.twin_of for m in models if m.twin_of is not None}
    native = {m.id: m.native_of for m in models if m.native_of is not None}
    by_place = {(c.case, c.model): c for c in cells}
    pairs = tuple(
        (original, c) for c in cells if c.model in twins and (original := by_place.get((c.case, twins[c.model])))
    )
    before = {m.id: m.before_of for m in models if m.before_of is not None}
    outside = {*twins, *native, *before}
    of_before = {(c.case, before[c.model]): c for c in cells if c.model in before}
    return Run(
        models=tuple(m for m in models if m.id not in twins and m.id not in before),
        workloads=workloads,
        cells=tuple(c for c in cells if c.model not in outside),
        befores=tuple((c, of_before.get((c.case, c.model))) for c in cells if c.model not in outside) if before else (),
        lost_models=tuple(
            before[m.id]
            for m in models
            if m.id in before
            and m.status == "ok"
            and any(now.id == before[m.id] and now.status != "ok" for now in models)
        ),
        natives=tuple((by_place.get((c.case, native[c.model])), c) for c in cells if c.model in native),
        twins=pairs,
        disturbed=disturbed,
        **parts,
    )


def _disturbed(visits: Any) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for visit in visits:
        if visit.get("noisy"):
            found.setdefault(_text(visit["case"]), set()).add(_count(visit["round"]))
    return {case: frozenset(rounds) for case, rounds in found.items()}


def _check(
    known_models: Sequence[Model], known_workloads: Sequence[Workload], cells: Sequence[Cell], name: str
) -> None:
    """Every cell belongs to a model and a workload of the run, and no model stands twice in a case."""
    models, workloads = {m.id for m in known_models}, {w.id for w in known_workloads}
    seen: set[tuple[str, str]] = set()
    for cell in cells:
        if cell.model not in models:
            raise ReadError(
                f"{name}: cell {cell.id!r} names the model {cell.model!r}, which the file does not describe"
            )
        if cell.workload not in workloads:
            raise ReadError(
                f"{name}: cell {cell.id!r} names the workload {cell.workload!r}, which the file does not describe"
            )
        if (cell.case, cell.model) in seen:
            raise ReadError(f"{name}: cell {cell.id!r} stands twice")
        seen.add((cell.case, cell.model))


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{key} is not an object")
    return value


def _typed(value: Any, kind: Callable[[Any], T], *accepts: type) -> T:
    if isinstance(value, bool) or not isinstance(value, accepts):
        raise TypeError(f"{value!r} where {' or '.join(a.__name__ for a in accepts)} belongs")
    return kind(value)


def _text(value: Any) -> str:
    return _typed(value, str, str)


def _count(value: Any) -> int:
    number = _typed(value, int, int)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def _positive(value: Any) -> int:
    if (number := _count(value)) == 0:
        raise ValueError("0 where at least 1 belongs")
    return number


def _optional(value: Any, convert: Callable[[Any], T]) -> T | None:
    return None if value is None else convert(value)


def _model(m: Mapping[str, Any]) -> Model:
    id = _text(m["id"])
    return Model(
        id=id,
        family=m.get("family") or "peer",
        variant_of=m.get("variant_of") or id,
        status=_text(m["status"]),
        reason=_text(m["reason"]),
        guaranteed_concurrency=_optional(m.get("at_once"), _count),
        start_up_ns=_optional(m.get("start_up_ns"), _count),
        resources=m.get("resources") or {},
        versions=m.get("versions") or {},
        twin_of=_optional(m.get("twin_of"), _text),
        native_of=_optional(m.get("native_of"), _text),
        before_of=_optional(m.get("before_of"), _text),
        engineering=_one_of(ENGINEERING, m.get("engineering")),
        semaphore_order=_one_of(ORDERS, m.get("semaphore_order")),
        channel_order=_one_of(ORDERS, m.get("channel_order")),
    )


def _one_of(choices: Sequence[str], value: Any) -> str | None:
    if value is not None and value not in choices:
        raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
    return _optional(value, _text)


def _processes(model: Model) -> int:
    return _count(model.resources.get("processes", 1))


def _workload(w: Mapping[str, Any]) -> Workload:
    if w["class"] not in CLASSES:
        raise ValueError(f"workload class {w['class']!r}")
    return Workload(_text(w["id"]), w["class"], _text(w["question"]), _text(w["metric"]), _text(w["unit"]))


def _cell(c: Mapping[str, Any], processes: Mapping[str, int]) -> Cell:
    stopped = c.get("stopped")
    if c["samples"] and not c["units"]:
        raise ValueError("samples of 0 units")
    return Cell(
        id=_text(c["id"]),
        case=_text(c["case"]),
        model=_text(c["model"]),
        workload=_text(c["workload"]),
        params=_mapping(c["params"], "params"),
        status=_text(c["status"]),
        reason=_text(c["reason"]),
        metric=_text(c["metric"]),
        unit=_text(c["unit"]),
        units=_count(c["units"]),
        scheduled=_count(c["scheduled"]),
        bound_ns=_optional(c.get("bound_ns"), _count),
        bound=_text(c["bound"]),
        projected_ns=_optional(c.get("projected_ns"), _count),
        stopped_reason=None if stopped is None else _text(stopped["reason"]),
        failures=tuple(_mapping(f, "failure") for f in c["failures"]),
        samples=tuple(_sample(s) for s in c["samples"]),
        checksum=_optional(c.get("checksum"), _text),
        processes=processes.get(c["model"], 1),
        offered_per_s=_optional(c.get("offered_per_s"), _count),
        saturation_per_s=_optional(c.get("saturation_per_s"), _count),
        single_ns=_optional(c.get("single_ns"), _count),
        threads_used=_optional((c.get("account") or {}).get("threads"), _count),
    )


def _buckets(pairs: Any) -> list[tuple[int, int]]:
    return [(_count(largest), _count(count)) for largest, count in pairs]


def _sample(s: Mapping[str, Any]) -> Sample:
    sample = Sample.of(s)
    for key, value in vars(sample).items():
        if key not in ("foreign_share", "latency", "notes") and value is not None:
            _count(value)
    if sample.latency is not None:
        sample = replace(sample, latency={kind: _buckets(sample.latency[kind]) for kind in ("intended", "service")})
    if sample.iterations < 1:
        raise ValueError("a sample of 0 iterations")
    return sample

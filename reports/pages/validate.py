"""Checks that a result file conforms to its schema and that its parts fit together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from reports.cases.read import RUN, ReadError, load, parse_object, parse_run
from reports.text import verdicts_json
from verdicts.deciding import WIDEST
from vocabulary.files import VERDICTS

_SCHEMAS = Path(__file__).parents[1] / "schema"
_MOST = 10


def faults(path: Path) -> list[str]:
    """A line for each of the first faults; empty when all is right. Of a folder, its run.json and, if it is there, its
    verdicts.json.

    Raises ReadError where a file is of no known kind and version at all.
    """
    if not path.is_dir() and _holds_verdicts(path):
        return _faults_of_verdicts(path)
    document = load(path)
    found = _breaches(document, "run-1.schema.json")
    if not found:
        parse_run(document, str(path))
        beside = path / VERDICTS
        if path.is_dir() and beside.exists():
            found = [f"{beside.name}: {fault}" for fault in _faults_of_verdicts(beside, document["run"]["id"])]
    return found


def _breaches(document: Mapping[str, Any], schema: str) -> list[str]:
    validator = Draft202012Validator(json.loads((_SCHEMAS / schema).read_text(encoding="utf-8")))
    return [
        f"{error.json_path}: {' '.join(error.message.split())[:200]}"
        for error in islice(validator.iter_errors(document), _MOST)
    ]


def _holds_verdicts(file: Path) -> bool:
    """By its name, or by what is in it."""
    if file.name in (VERDICTS, RUN):
        return file.name == VERDICTS
    try:
        document = parse_object(file)
    except ReadError:
        return False
    return "cases" in document and "cells" not in document


def _faults_of_verdicts(file: Path, run: str | None = None) -> list[str]:
    """`run`: the id of the run beside which the file lies."""
    document = parse_object(
        file, "a file of verdicts", f"`scripts/crossover report {file.parent}` writes it anew from {RUN}"
    )
    version = document.get("schema_version")
    if type(version) is not int or "cases" not in document:
        raise ReadError(f"{file}: is not a file of verdicts: it has no schema_version or no cases")
    if version > verdicts_json.VERSION:
        raise ReadError(
            f"{file}: has schema version {version}, this program reads up to {verdicts_json.VERSION}: use the Crossover"
            " that wrote it, or a newer one"
        )
    return _breaches(document, "verdicts-1.schema.json") or list(islice(_disagreements(document, run), _MOST))


def _disagreements(document: Mapping[str, Any], run: str | None) -> Iterator[str]:
    """What the schema cannot say."""
    if run is not None and document["run"] != run:
        yield f"$.run: {document['run']!r}, but {RUN} beside it is of {run!r}"
    places = Counter((entry["case"], entry["metric"]) for entry in document["cases"])
    decided = Counter(entry["case"] for entry in document["cases"] if entry["decides"])
    for number, entry in enumerate(document["cases"]):
        where = f"$.cases[{number}]"
        if places[entry["case"], entry["metric"]] > 1:
            yield f"{where}: {entry['case']!r} stands twice by {entry['metric']}"
        if decided[entry["case"]] != 1:
            yield f"{where}: {decided[entry['case']]} metrics decide {entry['case']!r}, not one"
        for line in _contradictions(entry):
            yield f"{where}: {line}"


def _contradictions(entry: Mapping[str, Any]) -> Iterator[str]:
    """Within the verdict of one case and metric."""
    best, slower, kind = entry["best_set"], entry["slower"], entry["kind"]
    if both := sorted(set(best) & set(slower)):
        yield f"{both[0]!r} stands in best_set and in slower"
    if entry["safe_choice"] is not None and entry["safe_choice"] not in best:
        yield f"safe_choice {entry['safe_choice']!r} is not in best_set"
    if entry["regret"] is not None and entry["safe_choice"] is None:
        yield "regret without a safe_choice"
    if strange := sorted(set(entry["eliminated"]) - set(slower)):
        yield f"{strange[0]!r} is eliminated, but not in slower"
    if any(rounds > entry["rounds"] for rounds in entry["eliminated"].values()):
        yield f"eliminated after more than the {entry['rounds']} rounds of the case"
    for model, ratio in entry["ratios"].items():
        if not _ordered(ratio):
            yield f"the ratio of {model!r} does not lie within its interval"
    yield from _faults_of_kind(kind, entry)


def _ordered(ratio: Mapping[str, Any]) -> bool:
    low, value, high = ratio["low"], ratio["value"], ratio["high"]
    return bool(low <= value <= high) if None not in (low, value, high) else low is None and high is None


def _faults_of_kind(kind: str, entry: Mapping[str, Any]) -> Iterator[str]:
    size = len(entry["best_set"])
    if kind == "wins" and size != 1:
        yield f"wins, but best_set has {size}"
    if kind == "wins" and not entry["slower"]:
        yield "wins over nobody"
    if kind not in ("wins", "none") and size < 2:
        yield f"{kind}, but best_set has {size}"
    if kind == "none" and size > 1:
        yield f"none, but best_set has {size}"
    for bound, of in (("within", "tie_within"), ("regret", "safe_choice")):
        if kind == of and (entry[bound] is None or entry[bound] > WIDEST):
            yield f"{kind} with {bound} {entry[bound]}"
    if kind == "none" and not entry["reason"]:
        yield "none without a reason"
    if kind not in ("none", "open") and entry["reason"]:
        yield f"{kind} with a reason"

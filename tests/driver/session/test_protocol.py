"""The schema of the --serve protocol: its words are those of the vocabulary, and the double of a bench conforms to it.
Tests of real benches check their answers, too."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from driver.session.bench import OUTCOMES
from driver.session.protocol import fault_of, fault_of_answer, schema
from tests.driver.conftest import ROOT
from vocabulary.terms import CLASSES, ENGINEERING, METRICS, ORDERS

SAMPLE = {
    "outcome": "ok",
    "iterations": 1,
    "units": 1,
    "checksum": "x",
    "start_ns": 1,
    "wall_ns": 1,
    "cpu_user_ns": 1,
    "cpu_sys_ns": 0,
}
CELL = {
    "workload": "w",
    "class": "io",
    "question": "?",
    "params": {"n": 1},
    "sizes": [],
    "metric": "time",
    "unit": "items",
    "units": 1,
    "scheduled": 1,
    "status": "ok",
}


def test_it_is_a_schema_with_the_words_of_the_vocabulary() -> None:
    Draft202012Validator.check_schema(schema())
    kinds = schema()["$defs"]
    cell, hello = kinds["cell"]["properties"], kinds["hello"]["properties"]
    assert [cell[key]["enum"] for key in ("class", "metric")] == [list(CLASSES), list(METRICS)]
    assert [hello["engineering"]["enum"], kinds["order"]["enum"]] == [list(ENGINEERING), list(ORDERS)]
    assert {"ok", *kinds["failure"]["properties"]["outcome"]["enum"]} == OUTCOMES


@pytest.mark.parametrize(
    ("kind", "line", "fault"),
    [
        ("sample", SAMPLE, ""),
        ("sample", {**SAMPLE, "a key of tomorrow": 1}, ""),
        ("sample", {**SAMPLE, "wall_ns": 0}, "wall_ns: 0 is less than the minimum of 1"),
        ("sample", {**SAMPLE, "wall_ns": 5.0}, "wall_ns: 5.0 is not of type 'integer'"),
        ("sample", {**SAMPLE, "units": True}, "units: true is not of type 'integer'"),
        (
            "sample",
            {**SAMPLE, "pss_bytes": 1 << 63},
            "pss_bytes: 9223372036854775808 is greater than the maximum of 9223372036854775807",
        ),
        ("sample", {**SAMPLE, "checksum": None}, "checksum: null is not of type 'string'"),
        (
            "sample",
            {key: value for key, value in SAMPLE.items() if key != "units"},
            "the line: 'units' is a required property",
        ),
        ("cell", CELL, ""),
        ("cell", {**CELL, "units": 0}, "units: 0 is less than the minimum of 1"),
        ("cell", {**CELL, "units": 0, "status": "unsupported", "reason": "has no clock"}, ""),
        ("cell", {**CELL, "status": "unsupported"}, "the line: 'reason' is a required property"),
        ("cell", "x" * 10_000, "is not of type 'object'"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(kind: str, line: Any, fault: str) -> None:
    found = fault_of(kind, line)
    assert fault in found and bool(found) == bool(fault) and "\n" not in found and len(found) < 300


def test_the_double_of_a_bench_conforms(tmp_path: Path) -> None:
    config = {"model": "odd", "state": str(tmp_path / "state"), "bare_ns": 7, "origin_share": 0.5}
    cell = {"workload": "spin", "params": {"tasks": 10, "delay_us": 5, "rate_per_s": 100}}
    requests = [
        {"do": "describe", **cell},
        {"do": "gate", **cell},
        {"do": "sample", **cell, "iterations": 2},
        {"do": "describe", "workload": "spin", "params": {"tasks": 0}},
    ]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(
        [ROOT / "tests/driver/bench_double.py", json.dumps(config)],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    hello, *answers = (json.loads(line) for line in done.stdout.splitlines())
    assert [answer["outcome"] for answer in answers] == ["ok", "ok", "ok", "usage"]
    assert [
        fault_of("hello", hello),
        *(fault_of_answer(request["do"], answer) for request, answer in zip(requests, answers)),
    ] == [""] * 5
    assert [fault_of("request", request) for request in requests] == [""] * 4

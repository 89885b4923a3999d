"""run.json → dataclasses, and one line for whatever cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from reports.cases.read import ReadError, parse_run, read_run
from tests.reports import synthetic

SCHEMA = Path(__file__).resolve().parents[3] / "reports" / "schema" / "run-1.schema.json"


def document() -> dict[str, Any]:
    cells = synthetic.measured(
        {"serial": (2e6, 1e6), "fibers": (1e6, 5e5)}, "fib", {"n": 20}, rounds=6, cv=0.01, seed=1
    )
    return synthetic.run(["serial", "fibers"], [{"id": "fib", "class": "cpu"}], cells)


def error_of(text: str | bytes, folder: Path) -> str:
    (folder / "run.json").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ReadError) as caught:
        read_run(folder)
    line = str(caught.value)
    assert "\n" not in line
    assert "run.json" in line
    return line


def test_synthetic_runs_keep_to_the_schema_that_the_driver_writes() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validate(document(), schema)
    jsonschema.validate(synthetic.realistic(6), schema)


def test_values_of_a_sample_are_those_of_one_iteration() -> None:
    raw = document()
    raw["cells"][0]["samples"] = [
        {
            "process": 0,
            "round": 4,
            "position": 1,
            "iterations": 4,
            "start_ns": 5,
            "wall_ns": 400,
            "cpu_user_ns": 120,
            "cpu_sys_ns": 80,
            "peak_rss_bytes": 9000,
            "pss_bytes": 12000,
        }
    ]
    cell = parse_run(raw, "x").cells[0]
    assert [cell.by_round(metric) for metric in ("time", "cpu", "memory", "latency")] == [
        {4: 100},
        {4: 50},
        {4: 9000},
        {},
    ]


def test_memory_of_several_processes_is_their_proportional_share() -> None:
    raw = document()
    raw["models"][0]["resources"]["processes"] = 3
    raw["cells"][0]["samples"][0] |= {"peak_rss_bytes": 90_000, "pss_bytes": 50_000}
    assert parse_run(raw, "x").cells[0].by_round("memory")[0] == 50_000


def test_a_round_that_stands_twice_counts_once() -> None:
    raw = document()
    samples = raw["cells"][0]["samples"]
    samples.append(samples[0] | {"wall_ns": 999_999_999_999})
    assert parse_run(raw, "x").cells[0].by_round("time")[0] == samples[0]["wall_ns"] / 3


def test_keys_and_minor_versions_that_are_not_known_are_ignored() -> None:
    raw = document() | {"future": 1, "schema_version": {"major": 1, "minor": 7}}
    raw["cells"][0]["samples"][0]["novelty"] = "yes"
    raw["cells"][0]["colour"] = "red"
    assert len(parse_run(raw, "x").cells) == 2


def test_a_model_says_whose_work_it_is_and_an_older_run_says_nothing() -> None:
    raw = document()
    kinds = ["textbook", "best", "library", None]
    raw["models"] = [dict(raw["models"][0], id=str(kind), engineering=kind) for kind in kinds] + raw["models"]
    del raw["models"][-1]["engineering"]
    models = parse_run(raw, "x").models
    assert [model.engineering for model in models[: len(kinds)]] == kinds
    assert models[-1].engineering is None


def test_a_model_says_how_it_serves_those_that_wait_and_an_older_run_says_nothing() -> None:
    raw = document()
    raw["models"][0] |= {"semaphore_order": "fifo", "channel_order": None}
    del raw["models"][1]["semaphore_order"], raw["models"][1]["channel_order"]
    first, second = parse_run(raw, "x").models[:2]
    assert (first.semaphore_order, first.channel_order) == ("fifo", None)
    assert (second.semaphore_order, second.channel_order) == (None, None)


@pytest.mark.parametrize("key", ["engineering", "semaphore_order", "channel_order"])
def test_a_word_that_nobody_knows_for_what_a_model_is_is_an_error(key: str, tmp_path: Path) -> None:
    raw = document()
    raw["models"][0][key] = "magic"
    assert "magic" in error_of(json.dumps(raw), tmp_path)


def test_a_truncated_file_is_called_so(tmp_path: Path) -> None:
    whole = json.dumps(document())
    for length in (1, len(whole) // 2, len(whole) - 1):
        assert "truncated" in error_of(whole[:length], tmp_path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"context": {}, "benchmarks": []}', '{"schema_version": 1}'])
def test_a_foreign_file_is_called_so(text: str, tmp_path: Path) -> None:
    assert "not a Crossover run" in error_of(text, tmp_path)


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    assert "not a text file" in error_of(b"\xff\xfe\x00\x01", tmp_path)


def test_a_newer_major_version_is_refused(tmp_path: Path) -> None:
    line = error_of(json.dumps(document() | {"schema_version": {"major": 2, "minor": 0}}), tmp_path)
    assert "schema version 2" in line


def test_a_number_that_json_does_not_have_is_refused(tmp_path: Path) -> None:
    assert "NaN" in error_of(json.dumps(document() | {"noise": {"load_start": float("nan")}}), tmp_path)


def test_missing_and_misplaced_values_are_named(tmp_path: Path) -> None:
    raw = document()
    del raw["cells"][0]["units"]
    assert "'units'" in error_of(json.dumps(raw), tmp_path)
    raw = document()
    raw["cells"][0]["samples"][0]["wall_ns"] = "fast"
    assert "'fast'" in error_of(json.dumps(raw), tmp_path)
    raw = document()
    raw["cells"][0]["samples"][0]["iterations"] = 0
    assert "0 iterations" in error_of(json.dumps(raw), tmp_path)


def test_a_cell_of_nobody_and_a_cell_twice_are_refused(tmp_path: Path) -> None:
    raw = document()
    raw["models"].pop()
    assert "'fibers'" in error_of(json.dumps(raw), tmp_path)
    raw = document()
    raw["cells"].append(raw["cells"][0])
    assert "stands twice" in error_of(json.dumps(raw), tmp_path)


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("part", "key", "value"), [("cells", "units", 0), ("run", "cores", "two"), ("run", "cores", 0)]
)
def test_what_nothing_can_be_computed_from_is_refused(part: str, key: str, value: Any, tmp_path: Path) -> None:
    raw = document()
    {"samples": raw["cells"][0]["samples"][0], "cells": raw["cells"][0], "run": raw["run"]}[part][key] = value
    assert "a value of the wrong kind" in error_of(json.dumps(raw), tmp_path)


@pytest.mark.parametrize("number", [1 << 63, -(10**30), 10**400])
def test_a_number_that_does_not_fit_into_64_bits_is_refused(number: int, tmp_path: Path) -> None:
    assert "does not fit into 64 bits" in error_of(json.dumps(document() | {"noise": {"load_start": number}}), tmp_path)


def test_a_number_beyond_all_numbers_is_refused(tmp_path: Path) -> None:
    text = json.dumps(document() | {"noise": {"load_start": "huge"}}).replace('"huge"', "1e999")
    assert "1e999 is beyond every number" in error_of(text, tmp_path)


def test_half_a_character_is_shown_as_a_question_mark(tmp_path: Path) -> None:
    raw = document()
    raw["cells"][0]["reason"] = "a\ud800b"
    (tmp_path / "run.json").write_text(json.dumps(raw))
    assert read_run(tmp_path).cells[0].reason == "a?b"


def test_only_a_cut_run_is_written_anew_by_resuming(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_text("")
    (tmp_path / "index.html").write_text("<html>")
    assert "--resume" in error_of("{", tmp_path)
    with pytest.raises(ReadError, match="give the results folder of a run"):
        read_run(tmp_path / "index.html")

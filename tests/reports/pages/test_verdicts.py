"""verdicts.json: it says what the analysis says, keeps to its schema, and `validate` finds what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from driver.commands.main import main
from reports.cases.cases import Analysis, analyse
from reports.cases.read import ReadError, parse_run
from reports.pages import building
from reports.pages.validate import faults
from reports.text import verdicts_json
from tests.reports import synthetic
from verdicts.deciding import Verdict
from verdicts.statistics import Ratio
from vocabulary.files import VERDICTS

Document = dict[str, Any]
Change = Callable[[Document], object]


def analysis_of(raw: Document) -> Analysis:
    return analyse(parse_run(raw, "x"))


def written(folder: Path, raw: Document, name: str = VERDICTS) -> Path:
    file = folder / name
    file.write_bytes(verdicts_json.content(analysis_of(raw)))
    return file


def small(rounds: int = 12, **parts: Any) -> Document:
    """A win by time, a tie by CPU cost, and a variant outside the competition."""
    values = {
        "event_loop": (1e6, 1e6),
        "event_loop_uring": (0.9e6, 1e6),
        "fibers": (2e6, 1e6),
        "thread_pool": (4e6, 3e6),
    }
    return synthetic.run(
        list(values),
        [{"id": "fib", "class": "cpu"}],
        synthetic.measured(values, "fib", {"n": 20}, rounds, 0.01, 1),
        **parts,
    )


@pytest.fixture(scope="module")
def realistic() -> Document:
    return synthetic.realistic(12)


def test_every_verdict_of_a_run_stands_in_the_file_once_and_keeps_to_the_schema(
    realistic: Document, tmp_path: Path
) -> None:
    file = written(tmp_path, realistic)
    assert faults(file) == []
    entries = json.loads(file.read_text())["cases"]
    cases = analysis_of(realistic).cases
    assert [(entry["case"], entry["metric"]) for entry in entries] == [
        (case.id, metric) for case in cases for metric in case.verdicts
    ]
    assert sum(entry["decides"] for entry in entries) == len(cases)
    assert {entry["metric"] for entry in entries if entry["decides"]} == {"time", "latency", "memory"}
    assert len({entry["kind"] for entry in entries}) >= 4


def test_an_entry_says_what_the_verdict_says(realistic: Document) -> None:
    entries = iter(json.loads(verdicts_json.content(analysis_of(realistic)))["cases"])
    for case in analysis_of(realistic).cases:
        for metric, verdict in case.verdicts.items():
            entry = next(entries)
            assert (entry["workload"], entry["class"], entry["metric"]) == (
                case.workload.id,
                case.workload.class_,
                metric,
            )
            assert (entry["kind"], tuple(entry["best_set"]), tuple(entry["slower"])) == (
                verdict.kind,
                verdict.best_set,
                verdict.slower,
            )
            assert (entry["rounds"], entry["looks"], entry["eliminated"]) == (
                verdict.rounds,
                verdict.looks,
                verdict.eliminated,
            )
            assert (entry["safe_choice"], entry["reason"]) == (verdict.safe_choice, verdict.reason)
            for name in ("within", "regret"):
                expected = getattr(verdict, name)
                assert entry[name] == (expected if expected is None else pytest.approx(expected, rel=1e-5))
            assert entry["ratios"].keys() == verdict.ratios.keys()
            for model, ratio in verdict.ratios.items():
                assert entry["ratios"][model]["value"] == pytest.approx(ratio.value, rel=1e-5)


def test_a_number_without_bounds_is_null() -> None:
    analysis = analysis_of(small())
    row = analysis.rows[0]
    unknown = Verdict(
        "open",
        ("a", "b"),
        (),
        {"a": Ratio(1.0, 1.0, 1.0), "b": Ratio(float("inf"))},
        6,
        1,
        safe_choice="a",
        within=float("nan"),
    )
    changed_case = replace(row.cases[0], verdicts={"time": unknown})
    (entry,) = json.loads(
        verdicts_json.content(replace(analysis, rows=(replace(row, cases=(changed_case,)),))),
        parse_constant=lambda name: pytest.fail(name),
    )["cases"]
    assert (entry["within"], entry["regret"], entry["ratios"]["b"]) == (
        None,
        None,
        {"value": None, "low": None, "high": None},
    )


def test_the_same_run_gives_the_same_bytes(realistic: Document) -> None:
    assert verdicts_json.content(analysis_of(realistic)) == verdicts_json.content(
        analysis_of(json.loads(json.dumps(realistic)))
    )


@pytest.mark.parametrize("rounds", [0, 1, 5, 6, 9, 13])
def test_a_run_interrupted_between_two_looks_rests_on_the_last_one(tmp_path: Path, rounds: int) -> None:
    raw = (
        small(rounds)
        if rounds
        else small(1) | {"cells": [cell | {"samples": [], "status": "not_run"} for cell in small(1)["cells"]]}
    )
    file = written(tmp_path, raw)
    assert faults(file) == []
    by_time = json.loads(file.read_text())["cases"][0]
    if rounds < 6:
        assert (by_time["kind"], by_time["rounds"], by_time["looks"]) == ("none", rounds, 0)
    else:
        assert (by_time["kind"], by_time["rounds"], by_time["looks"], by_time["best_set"]) == (
            "wins",
            6,
            1,
            ["event_loop"],
        )


@pytest.mark.parametrize("minor", [0, 1])
def test_a_run_of_an_older_version_has_its_verdicts_too(tmp_path: Path, minor: int) -> None:
    raw = small(schema_version={"major": 1, "minor": minor}, visits=[])
    for model in raw["models"]:
        for key in ("starts", "twin_of", "verbs", "versions", "start_up_ns", "at_once"):
            model.pop(key, None)
    for cell in raw["cells"]:
        cell.pop("account")
        cell["samples"] = [
            {
                key: s[key]
                for key in (
                    "process",
                    "round",
                    "position",
                    "iterations",
                    "start_ns",
                    "wall_ns",
                    "cpu_user_ns",
                    "cpu_sys_ns",
                )
            }
            for s in cell["samples"]
        ]
    assert faults(written(tmp_path, raw)) == []


def test_a_report_writes_it_beside_the_run_and_validate_checks_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text(json.dumps(small()))
    building.build(tmp_path)
    assert (tmp_path / VERDICTS).read_bytes() == verdicts_json.content(analysis_of(small()))
    assert not list(tmp_path.glob("*.new"))
    for path in (tmp_path, tmp_path / VERDICTS):
        assert main(["validate", str(path)]) == 0
    changed(tmp_path / VERDICTS, lambda document: document.update(run="another"))
    assert main(["validate", str(tmp_path / VERDICTS)]) == 0  # by itself it is right
    assert main(["validate", str(tmp_path)]) == 4
    assert "verdicts.json: $.run: 'another', but run.json beside it is of 'synthetic'" in capsys.readouterr().out
    (tmp_path / VERDICTS).unlink()
    assert main(["validate", str(tmp_path)]) == 0


def changed(file: Path, change: Change) -> Path:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return file


def test_it_is_known_by_its_content_under_any_name(tmp_path: Path) -> None:
    file = written(tmp_path, small(), "mine.json")
    assert faults(file) == []
    assert faults(changed(file, lambda document: document["cases"][0].update(kind="fine"))) != []


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.3, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_one_line(tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, small())
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * (len(whole) - 2))])
    assert main(["validate", str(file)]) == 4
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "`scripts/crossover report" in told


NONSENSE = [
    b"[]",
    b"null",
    b"7",
    b"\xff\xfe\x00",
    b"{}",
    b'{"schema_version": 2, "run": "a", "cases": []}',
    b'{"schema_version": "1", "cases": []}',
    b'{"schema_version": true, "cases": []}',
    b'{"schema_version": 1, "run": "a"}',
    b'{"schema_version": 1, "run": "a", "cases": {}}',
    b'{"schema_version": 1, "run": "a", "cases": [7]}',
    b'{"schema_version": 1, "run": "a", "cases": [{}]}',
    b'{"schema_version": 1, "run": "a", "cases": [NaN]}',
    b'{"schema_version": 1, "run": "a", "cases": [1e999]}',
    b'{"schema_version": 1, "run": "a", "cases": ' + b"[" * 100_000,
    json.dumps(small()).encode(),
]


@pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_told_without_a_traceback(tmp_path: Path, text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / VERDICTS
    file.write_bytes(text)
    assert main(["validate", str(file)]) == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_a_newer_version_is_named(tmp_path: Path) -> None:
    file = changed(written(tmp_path, small()), lambda document: document.update(schema_version=2))
    with pytest.raises(ReadError, match="has schema version 2, this program reads up to 1"):
        faults(file)


DISAGREEMENTS: list[tuple[Change, str]] = [
    (lambda entry: entry["slower"].append("event_loop"), "'event_loop' stands in best_set and in slower"),
    (lambda entry: entry.update(safe_choice="fibers"), "safe_choice 'fibers' is not in best_set"),
    (lambda entry: entry.update(safe_choice=None), "regret without a safe_choice"),
    (lambda entry: entry["eliminated"].update(asio=6), "'asio' is eliminated, but not in slower"),
    (lambda entry: entry["eliminated"].update(fibers=99), "eliminated after more than the 6 rounds of the case"),
    (lambda entry: entry["ratios"]["fibers"].update(low=9.0), "the ratio of 'fibers' does not lie within its interval"),
    (
        lambda entry: entry["ratios"]["fibers"].update(low=None),
        "the ratio of 'fibers' does not lie within its interval",
    ),
    (lambda entry: entry["best_set"].append("asio"), "wins, but best_set has 2"),
    (lambda entry: entry.update(slower=[], eliminated={}), "wins over nobody"),
    (lambda entry: entry.update(reason="because"), "wins with a reason"),
    (lambda entry: entry.update(kind="none"), "none without a reason"),
    (lambda entry: entry.update(kind="tie"), "tie, but best_set has 1"),
    (lambda entry: entry.update(kind="tie_within", within=None), "tie_within with within None"),
    (lambda entry: entry.update(kind="safe_choice", regret=0.4), "safe_choice with regret 0.4"),
    (lambda entry: entry.update(decides=False), "0 metrics decide 'fib/n:20', not one"),
    (lambda entry: entry.update(metric="cpu"), "'fib/n:20' stands twice by cpu"),
    (lambda entry: entry.update(rounds=-1), "-1 is less than the minimum of 0"),
    (lambda entry: entry.pop("within"), "'within' is a required property"),
]


@pytest.mark.parametrize(("change", "line"), DISAGREEMENTS, ids=[line for _, line in DISAGREEMENTS])
def test_parts_that_disagree_are_told(
    tmp_path: Path, change: Change, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = changed(written(tmp_path, small()), lambda document: change(document["cases"][0]))
    assert main(["validate", str(file)]) == 4
    told = capsys.readouterr()
    assert line in told.out
    assert told.err.count("\n") == 1

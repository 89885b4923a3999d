"""compare and validate, on runs of doubles and on invalid files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driver.commands.terms import parse_threshold
from driver.problem import Problem
from tests.driver.conftest import ROOT, Benches
from tests.driver.other_user import let_others_enter

SPIN = "spin/model:odd/tasks:10/delay_us:5"
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def runs(benches: Benches) -> Callable[..., Path]:
    """Measures doubles into a folder of that name."""

    def measure(name: str, **config: Any) -> Path:
        benches.add("odd", **config)
        out = benches.folder.parent / name
        result = benches.drive("run", "--seed", "1", "--workloads", "spin", "--out", str(out))
        assert result.code == 0, result.err
        return out

    return measure


def altered(folder: Path, change: Change) -> Path:
    file = folder / "run.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return folder


def test_compare_shows_both_runs_and_judges_nothing_by_its_exit_code(
    benches: Benches, runs: Callable[..., Path]
) -> None:
    before, after = runs("a"), runs("b", unit_ns=300_000)
    result = benches.drive("compare", str(before), str(after))
    assert result.code == 0
    assert "worse" in result.out and "3.0" in result.out
    assert benches.drive("compare", str(before), str(after), "--markdown").out.startswith("| case ")
    drawn = benches.drive("compare", str(before), str(after), "--out", str(before / "drawn")).out.splitlines()[-1]
    assert "Two runs side by side" in Path(drawn).read_text()


@pytest.mark.parametrize("verb", ["compare", "check"])
def test_runs_of_different_hosts_are_refused_unless_told(
    benches: Benches, runs: Callable[..., Path], verb: str
) -> None:
    before = runs("a")
    after = altered(runs("b"), lambda run: run["host"].update(cpu_model="another"))
    result = benches.drive(verb, str(before), str(after))
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "different hosts or settings (CPU " in result.err and "--allow-different-host" in result.err
    assert benches.drive(verb, str(before), str(after), "--allow-different-host").code == 0


@pytest.mark.parametrize("verb", ["compare", "check"])
def test_two_containers_of_one_machine_are_one_machine(benches: Benches, runs: Callable[..., Path], verb: str) -> None:
    before = runs("a")
    after = altered(
        runs("b"),
        lambda run: run["host"].update(hostname_hash="elsewhere", mem_bytes=round(1.01 * run["host"]["mem_bytes"])),
    )
    result = benches.drive(verb, str(before), str(after))
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("verb", ["compare", "check"])
def test_runs_without_a_common_cell_match_nothing(benches: Benches, runs: Callable[..., Path], verb: str) -> None:
    result = benches.drive(verb, str(runs("a")), str(runs("b", sizes=[20])))
    assert (result.code, result.err.count("\n")) == (6, 1)
    assert "no measured cell in common" in result.err


@pytest.mark.parametrize("verb", [["compare", "good"], ["check", "good"], ["validate"], ["report"]])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"schema_version": {"major": 2, "minor": 0}}', "has schema version 2, this program reads up to 1"),
        ('{"schema_version": {"major": 1', "ends too early (truncated?)"),
        ('{"context": {}, "benchmarks": []}', "is not a Crossover run"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_and_stays_as_it_is(
    benches: Benches, runs: Callable[..., Path], verb: list[str], text: str, line: str
) -> None:
    good, bad = runs("good"), benches.folder.parent / "bad"
    bad.mkdir()
    (bad / "run.json").write_text(text)
    arguments = [str(good) if word == "good" else word for word in verb]
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from driver.commands.main import main;"
        " sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(["/usr/bin/python3", "-B", "-c", code, *arguments, str(bad)], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert line in done.stderr
    assert os.listdir(bad) == ["run.json"] and (bad / "run.json").read_text() == text


def test_every_file_that_a_run_writes_is_valid(benches: Benches, runs: Callable[..., Path]) -> None:
    folder = runs("a")
    for path in (folder, folder / "run.json", folder / "samples.jsonl"):
        result = benches.drive("validate", str(path))
        assert result.code == 0, result.err
    twins = json.loads((folder / "google_benchmark.json").read_text())
    rows = [row for row in twins["benchmarks"] if row["name"] == SPIN]
    assert len(rows) == 12 and {row["time_unit"] for row in rows} == {"ns"}
    samples = json.loads((folder / "run.json").read_text())["cells"][0]["samples"]
    assert [row["real_time"] * row["iterations"] for row in rows] == pytest.approx(
        [sample["wall_ns"] for sample in samples]
    )
    assert twins["context"]["num_cpus"] >= 1


FAULTS: list[tuple[Change, str]] = [
    (lambda run: run["cells"][0].pop("units"), "$.cells[0]: 'units' is a required property"),
    (
        lambda run: run["cells"][0]["samples"][3].update(wall_ns=-5),
        "$.cells[0].samples[3].wall_ns: -5 is less than the minimum of 0",
    ),
    (lambda run: run["cells"][0].update(status="fine"), "$.cells[0].status: 'fine' is not one of"),
]


@pytest.mark.parametrize(("change", "line"), FAULTS)
def test_a_file_that_breaks_its_schema_is_told_where(
    benches: Benches, runs: Callable[..., Path], change: Change, line: str
) -> None:
    result = benches.drive("validate", str(altered(runs("a"), change)))
    assert result.code == 4
    assert line in result.out
    assert result.err.count("\n") == 1 and "does not conform to its schema" in result.err


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (b'{"event":"sam', "ends in the middle of a line"),
        (b"hello\n", "is not an event of a run"),
        (b'{"benchmarks":[]}\n', "is not an event of a run"),
    ],
)
def test_truncated_and_foreign_lines_of_a_journal_are_told(
    benches: Benches, runs: Callable[..., Path], end: bytes, line: str
) -> None:
    journal = runs("a") / "samples.jsonl"
    with open(journal, "ab") as file:
        file.write(end)
    result = benches.drive("validate", str(journal))
    assert (result.code, result.err.count("\n")) == (4, 1)
    assert line in result.err


@pytest.mark.parametrize("verb", [["report"], ["run", "--resume"], ["run", "--out"]])
def test_a_results_folder_that_is_read_only_is_one_line_and_stays_as_it_is(
    benches: Benches, runs: Callable[..., Path], verb: list[str]
) -> None:
    let_others_enter()
    made = runs("a")
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        folder = Path(place) / "a"
        shutil.copytree(made, folder)
        (folder / "index.html").unlink()
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        shutil.copytree(benches.folder, Path(place) / "benches")
        for path in (Path(place), folder):
            path.chmod(0o555)
        target = str(folder / "new") if verb[-1] == "--out" else str(folder)
        as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        code = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; from driver.commands.main import"
            " main; sys.exit(main(sys.argv[2:], Path(sys.argv[1])))"
        )
        done = subprocess.run(
            [*as_nobody, "/usr/bin/python3", "-B", "-c", code, f"{place}/benches", *verb, target],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
        assert done.stderr.startswith("crossover: ")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        Path(place).chmod(0o755)
        folder.chmod(0o755)


USAGE = [
    (["compare", "nowhere", "nowhere"], "there is no run in nowhere"),
    (["validate", "nowhere"], "there is no nowhere"),
    (["validate", "/proc/self/fd"], "there is no run in /proc/self/fd"),
    (["check", "/proc/self/fd", "nowhere"], "there is no run in /proc/self/fd"),
    (
        ["compare", "nowhere", "nowhere", "--out", "/proc/self/status"],
        "--out /proc/self/status is a file: name a folder",
    ),
    (["compare", "nowhere"], "the following arguments are required: AFTER"),
    (["check", "a", "b", "--threshold", "much"], "--threshold much is not a percentage above 0: write 10%"),
    (
        ["compare", "a", "b", "--metrics", "tmie"],
        "there is no metric tmie (did you mean time?); there are: cpu, latency, memory, time",
    ),
    (["compare", "a", "b", "--metrics", ","], "--metrics , names nothing; there are: time, cpu, latency, memory"),
    (["check", "a", "b", "--treshold", "5"], "there is no option --treshold (did you mean --threshold?)"),
]


@pytest.mark.parametrize(("arguments", "line"), USAGE)
def test_usage_errors_are_one_line(benches: Benches, arguments: list[str], line: str) -> None:
    result = benches.drive(*arguments)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert line in result.err


def test_thresholds_are_percentages() -> None:
    assert (parse_threshold("10"), parse_threshold("2.5%")) == (0.1, 0.025)
    for text in ("0", "-5", "0.1.2", "5000%", ""):
        with pytest.raises(Problem):
            parse_threshold(text)

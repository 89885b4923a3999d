"""docs/FAIRNESS.md has a row for every model, which agrees with the programs and docs/fairness.toml."""

import re
import resource
import subprocess
import tomllib
from pathlib import Path

import pytest

from driver.commands.fairness import COLUMNS, SENTENCES, UNSAID, sentences

ROOT = Path(__file__).resolve().parents[2]
BENCHES = ROOT / "build" / "release" / "bench"
STACK = "stack of a waiting item"


def rows(text: str) -> dict[str, dict[str, str]]:
    head, _, *lines = [
        [column.strip() for column in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    assert head == ["model", *COLUMNS]
    assert all(len(columns) == len(head) for columns in lines), "a sentence holds a |"
    return {columns[0]: dict(zip(head[1:], columns[1:])) for columns in lines}


def written() -> dict[str, dict[str, str]]:
    part = re.search(
        r"<!-- scripts/crossover list --fairness -->\n(.*?)<!-- end -->",
        (ROOT / "docs" / "FAIRNESS.md").read_text(),
        re.DOTALL,
    )
    assert part, "docs/FAIRNESS.md has no table between its marks"
    return rows(part[1])


def models() -> set[str]:
    compiled = re.findall(
        r"^ *add_runtime\((?:\w+/)*(\w+)", (ROOT / "runtimes" / "CMakeLists.txt").read_text(), re.MULTILINE
    )
    return {*compiled, *(path.stem for path in (ROOT / "bench" / "peers" / "cpython").glob("py_*.py"))}


def test_every_model_has_a_row_and_every_cell_a_sentence() -> None:
    assert set(sentences()) == models(), "docs/fairness.toml describes other models than there are"
    assert (
        set(written()) == models()
    ), "put what scripts/crossover list --fairness prints between the marks in docs/FAIRNESS.md"
    for model, row in sentences().items():
        for key, cell in row.items():
            assert cell != UNSAID, f"docs/fairness.toml: {model} has no {key}"


def test_the_sentences_of_the_table_are_those_of_the_data_file() -> None:
    for model, row in sentences().items():
        for heading, key in COLUMNS.items():
            if key:
                assert written()[model][heading].endswith(
                    row[key]
                ), f"{model}, {heading}: run scripts/crossover list --fairness"


def test_the_files_of_the_sentences_exist() -> None:
    for model, row in tomllib.loads(SENTENCES.read_text()).items():
        for key, cell in row.items():
            if key != "as":
                assert (ROOT / cell[1]).is_file(), f"{model}, {key}: {cell[1]}"


@pytest.mark.skipif(not any(BENCHES.glob("bench_*")), reason="nothing is built")
def test_the_table_is_what_the_programs_say() -> None:
    done = subprocess.run([ROOT / "scripts" / "crossover", "list", "--fairness"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    printed, table = rows(done.stdout), written()
    if resource.getrlimit(resource.RLIMIT_STACK)[0] != 8 * 2**20:
        for row in (*printed.values(), *table.values()):
            del row[STACK]
    for model, row in printed.items():  # a library may be missing, and its model with it
        assert row == table.get(
            model
        ), f"{model}: run scripts/crossover list --fairness and put it between the marks in docs/FAIRNESS.md"

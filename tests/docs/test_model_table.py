"""The table of models in docs/MODELS.md is what `scripts/crossover list --markdown` prints."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHES = ROOT / "build" / "release" / "bench"
COUNTS = ("at once", "threads", "processes")
# What follows from the memory and the limits of the machine; the rest is the same on any of two cores or more.
_HOLDS_WHAT_FITS = (
    *(
        "event_loop",
        "event_loop_per_core",
        "event_loop_processes",
        "event_loop_tasks",
        "event_loop_threads",
        "event_loop_uring",
    ),
    *("fibers", "fibers_multi", "fibers_stock", "tbb_resumable", "asio", "py_asyncio", "py_uvloop"),
)
OF_THIS_MACHINE: dict[str, tuple[str, ...]] = {
    "thread_per_task": ("at once", "threads"),
    **{name: ("at once",) for name in _HOLDS_WHAT_FITS},
}


def by_model(lines: list[str], reasons: list[str]) -> dict[str, list[str]]:
    """The columns of each row, with the reason itself where its number stands."""
    told = {number: reason for number, _, reason in (line.partition(". ") for line in reasons)}
    rows = [[column.strip() for column in line.strip("|").split("|")] for line in lines]
    return {name: [*(told.get(mark, mark) for mark in columns[:-3]), *columns[-3:]] for name, *columns in rows}


def parsed(text: str) -> tuple[list[str], dict[str, list[str]]]:
    head, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    return [column.strip() for column in head.strip("|").split("|")], by_model(
        rows, [line for line in text.splitlines() if re.match(r"\d+\. ", line)]
    )


@pytest.mark.skipif(not any(BENCHES.glob("bench_*")), reason="nothing is built")
def test_the_table_of_models_is_what_list_prints() -> None:
    part = re.search(
        r"<!-- scripts/crossover list --markdown -->\n(.*?)<!-- end -->",
        (ROOT / "docs" / "MODELS.md").read_text(),
        re.DOTALL,
    )
    assert part, "docs/MODELS.md has no table between its marks"
    done = subprocess.run([ROOT / "scripts" / "crossover", "list", "--markdown"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    head, written = parsed(part[1])
    printed_head, printed = parsed(done.stdout)
    assert head == printed_head
    for table in (written, printed):
        for name, row in table.items():
            *can, at_once, threads, processes = row
            assert (
                re.fullmatch(r"[\d,]+", at_once)
                and re.fullmatch(r"[\d,]+( \+ \d+)?", threads)
                and re.fullmatch(r"[\d,]+", processes)
            ), row
            if name in OF_THIS_MACHINE:
                table[name] = [
                    *can,
                    *(value for column, value in zip(COUNTS, row[-3:]) if column not in OF_THIS_MACHINE[name]),
                ]
    # CPython may be missing
    built = {name: row for name, row in written.items() if name in printed or not name.startswith("py_")}
    assert printed == built, "run scripts/crossover list --markdown and put it between the marks in docs/MODELS.md"


@pytest.mark.skipif(not any(BENCHES.glob("bench_*")), reason="nothing is built")
def test_a_pool_of_another_size_is_a_variant_that_runs_what_waits_and_has_that_many_workers() -> None:
    for name, size in (("thread_pool_wide_64", 64), ("process_pool_wide_16", 16)):
        said = subprocess.run(
            [BENCHES / f"bench_{name}", "--serve"], stdin=subprocess.DEVNULL, capture_output=True, check=True
        ).stdout
        hello = json.loads(said)
        assert (hello["model"], hello["variant_of"], hello["at_once"]) == (name, name.rpartition("_")[0], size)
        assert {cell["class"] for cell in hello["cells"]} == {"io", "lessons"}

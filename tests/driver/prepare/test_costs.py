"""What cells cost is kept between runs of one machine. Whatever is wrong with the file costs a line at most, never a
run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driver.prepare.costs import Costs
from driver.session.cells import Case, Cell
from tests.driver.cells import made
from tests.driver.conftest import Benches, Result
from tests.driver.other_user import NOBODY, as_user, only_root

HOST = {
    "hostname_hash": "a",
    "machine_id_hash": "d",
    "cpu_model": "b",
    "logical_cores": 2,
    "arch": "x86_64",
    "mem_bytes": 8 << 30,
}
PROGRAMS = {"odd": "0123", "even": "4567"}
SPIN, WAIT = "spin/model:odd/tasks:10/delay_us:5", "wait/model:odd/tasks:10/delay_us:5"


def cell(model: str = "odd", tasks: int = 1, **fields: Any) -> Cell:
    return made(
        Case(f"spin/tasks:{tasks}", "spin", {"tasks": tasks}, "cpu", "?", "time", "items"),
        model,
        1,
        1,
        None,
        "",
        0,
        (),
        **fields,
    )


def recalled(
    cells: list[Cell], host: dict[str, Any] = HOST, cores: int = 2, programs: dict[str, str] = PROGRAMS
) -> tuple[list[int | None], list[str]]:
    """What is known of each, and what was said about the file."""
    said: list[str] = []
    found = Costs(host, cores).recall(cells, programs, said.append)
    return [one.known_ns for one in found], said


def keep(*cells: Cell, programs: dict[str, str] = PROGRAMS) -> None:
    Costs(HOST, 2).keep(cells, programs)


def the_file(cache: Path) -> Path:
    (found,) = (cache / "crossover").iterdir()
    return found


def test_what_iterations_took_is_known_to_the_next_run(cache: Path) -> None:
    keep(cell(single_ns=7), cell("even", single_ns=8), cell(tasks=9))
    assert recalled([cell(), cell("even"), cell(tasks=9)]) == ([7, 8, None], [])


def test_nothing_is_known_at_first(cache: Path) -> None:
    assert recalled([cell()]) == ([None], [])
    assert not cache.exists(), "nothing is made that nothing is kept in"


def test_what_another_machine_or_another_program_took_is_not_taken(cache: Path) -> None:
    keep(cell(single_ns=7))
    assert recalled([cell()], host={**HOST, "cpu_model": "c"}) == ([None], [])
    assert recalled([cell()], cores=1) == ([None], [])
    assert recalled([cell()], programs={"odd": "another"}) == ([None], [])
    assert recalled([cell()], programs={"even": "0123"}) == ([None], []), "a model that is not measured now"


def test_a_file_that_was_copied_from_another_machine_is_not_taken(cache: Path) -> None:
    keep(cell(single_ns=7))
    kept = json.loads(the_file(cache).read_text())
    the_file(cache).write_text(json.dumps({**kept, "host": {**HOST, "machine_id_hash": "another"}}))
    assert recalled([cell()]) == ([None], [])


def test_a_machine_under_another_name_and_with_a_little_less_memory_knows_its_costs(cache: Path) -> None:
    keep(cell(single_ns=7))
    assert recalled([cell()], host={**HOST, "hostname_hash": "z", "mem_bytes": 8 * (1 << 30) - (80 << 20)}) == ([7], [])
    assert recalled([cell()], host={**HOST, "mem_bytes": 16 << 30}) == ([None], [])


def test_a_run_of_a_few_models_or_workloads_forgets_nothing_of_the_others(cache: Path) -> None:
    keep(cell(single_ns=7), cell(tasks=2, single_ns=8), cell("even", single_ns=9))
    keep(cell(single_ns=6), programs={"odd": "0123"})
    assert recalled([cell(), cell(tasks=2), cell("even")]) == ([6, 8, 9], [])


def test_what_an_older_program_took_is_forgotten(cache: Path) -> None:
    keep(cell(single_ns=7), cell(tasks=2, single_ns=8))
    newer = {"odd": "built anew"}
    keep(cell(single_ns=6), programs=newer)
    assert recalled([cell(), cell(tasks=2)], programs=newer) == ([6, None], [])
    assert recalled([cell(), cell(tasks=2)]) == ([None, None], [])


def test_a_twin_keeps_nothing_of_its_own(cache: Path) -> None:
    keep(cell("odd_twin", single_ns=7), cell(single_ns=8))
    assert set(json.loads(the_file(cache).read_text())["models"]) == {"odd", "even"}


def test_what_was_only_projected_is_kept_and_fades_until_it_is_tried_once_more(cache: Path) -> None:
    keep(cell(status="projected", projected_ns=1000))
    for expected in (1000, 900, 810):
        known, _ = recalled([cell()])
        assert known == [expected]
        keep(cell(status="projected", projected_ns=5, known_ns=known[0]))
    keep(cell(known_ns=810, single_ns=1200))
    assert recalled([cell()]) == ([1200], []), "measured again, it is as it was measured"


NONSENSE: list[Any] = ["", "{", "[]", "5", "null", '"models"', "{}", '{"version": 2}', "[" * 100_000, "\x00", "NaN"]
MODELS: list[Any] = [
    None,
    5,
    [1],
    ["ab"],
    {"odd": None},
    {"odd": 5},
    {"odd": {"program": "0123"}},
    {"odd": {"program": "0123", "cells": [1]}},
    {"odd": {"cells": {}}},
]
COSTS: list[Any] = [None, "soon", -1, 1.5, True, [], {}, 10**30]


@pytest.mark.parametrize("text", NONSENSE)
def test_a_file_that_is_no_file_of_costs_costs_one_line_and_is_written_anew(cache: Path, text: str) -> None:
    keep(cell(single_ns=7))
    the_file(cache).write_text(text)
    known, said = recalled([cell()])
    assert known == [None] and len(said) == 1
    assert said[0] == f"{the_file(cache)} is no file of costs: it is not used, and written anew at the end"
    keep(cell(single_ns=8))
    assert recalled([cell()]) == ([8], [])


@pytest.mark.parametrize("models", MODELS)
def test_models_that_are_none_cost_at_most_a_line(cache: Path, models: Any) -> None:
    keep(cell(single_ns=7))
    file = the_file(cache)
    file.write_text(json.dumps({**json.loads(file.read_text()), "models": models}))
    known, said = recalled([cell()])
    assert known == [None] and len(said) <= 1
    keep(cell(single_ns=8))
    assert recalled([cell()]) == ([8], [])


@pytest.mark.parametrize("cost", COSTS)
def test_a_cost_that_is_none_is_not_taken_and_the_others_are(cache: Path, cost: Any) -> None:
    keep(cell(single_ns=7), cell(tasks=2, single_ns=8))
    file = the_file(cache)
    document = json.loads(file.read_text())
    document["models"]["odd"]["cells"][cell().id] = cost
    file.write_text(json.dumps(document))
    assert recalled([cell(), cell(tasks=2)]) == ([None, 8], [])


def test_a_relative_cache_is_none_and_the_home_is_taken_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    keep(cell(single_ns=7))
    assert recalled([cell()]) == ([7], [])
    assert os.listdir(tmp_path) == ["home"]


def again(benches: Benches, name: str, *arguments: str) -> Result:
    """A run into that folder."""
    out = benches.folder.parent / name
    done = benches.drive("run", "--seed", "1", "--out", str(out), *arguments)
    return Result(done.code, done.out, done.err, out)


def spoil_by_a_folder(file: Path) -> None:
    file.unlink()
    (file / "inside").mkdir(parents=True)


def spoil_by_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def spoil_by_size(file: Path) -> None:
    os.truncate(file, 1 << 31)


@pytest.mark.parametrize(
    "spoil", [spoil_by_a_folder, spoil_by_a_pipe, spoil_by_size, lambda file: file.write_bytes(b"\xff\xfe{")]
)
def test_whatever_stands_in_the_place_of_the_file_the_run_goes_on(
    benches: Benches, cache: Path, spoil: Callable[[Path], None]
) -> None:
    benches.add("odd")
    assert benches.run().code == 0
    file = the_file(cache)
    before = json.loads(file.read_text())
    spoil(file)
    second = again(benches, "second")
    assert second.code == 0
    assert second.err.count("remove it, or no costs are kept" if file.is_dir() else "is no file of costs") == 1
    second.check_whole()
    if not file.is_dir():
        after = json.loads(file.read_text())
        assert after["models"].keys() == before["models"].keys() and after["models"]["odd"]["cells"].keys() == {
            SPIN,
            WAIT,
        }


@pytest.mark.parametrize("place", ["/dev/null", "/proc", ""])
def test_a_cache_that_cannot_be_written_is_done_without(
    benches: Benches, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", place)
    if not place:  # nothing says whose cache it could be
        monkeypatch.delenv("HOME", raising=False)
    benches.add("odd")
    result = benches.run()
    assert (result.code, "cost" in result.err) == (0, False), result.err
    result.check_whole()


def test_what_is_known_to_be_too_dear_is_projected_and_not_even_checked_and_fades(
    benches: Benches, cache: Path, tmp_path: Path
) -> None:
    benches.add("odd", requests=str(tmp_path / "requests"))
    assert benches.run().code == 0
    file = the_file(cache)
    document = json.loads(file.read_text())
    document["models"]["odd"]["cells"][SPIN] = 10_000_000_000
    file.write_text(json.dumps(document))
    (tmp_path / "requests").unlink()
    result = again(benches, "second")
    assert result.code == 0, result.err
    dear = result.cells[SPIN]
    assert (dear["status"], dear["projected_ns"], dear["samples"]) == ("projected", 10_000_000_000, [])
    assert "10 s (as measured before on this host)" in dear["reason"]
    result.check_whole(SPIN)
    assert '"spin"' not in (tmp_path / "requests").read_text()
    costs = json.loads(file.read_text())["models"]["odd"]["cells"]
    assert costs[SPIN] == 9_000_000_000
    assert costs[WAIT] == result.cells[WAIT]["single_ns"]


@only_root
def test_a_home_that_is_another_users_has_no_costs_and_nothing_is_said_of_it(cache: Path) -> None:
    keep(cell(single_ns=7))
    the_file(cache).parent.chmod(0o700)

    def begins_and_ends() -> tuple[list[int | None], list[str]]:
        known = recalled([cell()])
        keep(cell(single_ns=8))
        return known

    assert as_user(NOBODY, begins_and_ends) == [[None], []]
    assert recalled([cell()]) == ([7], [])

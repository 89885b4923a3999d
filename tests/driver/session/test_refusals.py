"""What the system refuses is told by call, object and error, with a remedy where the error tells one; what can be done
without is done without."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

from driver.problem import Exit, Problem
from driver.session import output
from driver.session.journal import Journal
from tests.driver.conftest import Benches


def refusing(number: int) -> Any:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_a_file_system_has_no_locks_a_run_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(number))
    journal = Journal.to_begin(tmp_path)
    assert not journal.locked
    journal.write({"event": "run", "at_ns": 0})
    assert Journal.to_resume(tmp_path).read() == [{"event": "run", "at_ns": 0}]


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EINVAL])
def test_a_lock_that_is_refused_for_another_reason_is_not_taken_for_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(number))
    with pytest.raises(Problem) as caught:
        Journal.to_begin(tmp_path)
    assert str(caught.value).startswith(f"cannot flock {tmp_path}/samples.jsonl: {os.strerror(number)}")


def test_a_run_on_a_file_system_without_locks_says_so_in_one_line(benches: Benches) -> None:
    benches.add("odd")
    out = benches.folder.parent / "out"
    without = (
        "import errno, fcntl\ndef flock(*_): raise OSError(errno.ENOLCK, 'No locks available')\nfcntl.flock = flock\n"
    )
    command = benches.command("run", "--seed", "1", "--out", str(out))
    command[2] = without + command[2]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"the file system of {out} has no locks: no second run must write there\n" in done.stderr


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_that_cannot_be_synced_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", refusing(number))
    output.write_whole(tmp_path / "run.json", "all")
    assert (tmp_path / "run.json").read_text() == "all"


@pytest.mark.parametrize(
    ("call", "number", "remedy"),
    [
        ("fsync", errno.EIO, "fix that"),
        ("fsync", errno.ENOSPC, "make room there"),
        ("fsync", errno.EDQUOT, "make room within your quota there"),
        ("rename", errno.EXDEV, "fix that"),
        ("rename", errno.EROFS, "choose a place that can be written to"),
    ],
)
def test_a_result_that_cannot_be_written_names_call_file_error_and_the_way_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, remedy: str
) -> None:
    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), refusing(number))
    with pytest.raises(Problem) as caught:
        output.write_whole(tmp_path / "run.json", "all")
    assert (
        str(caught.value)
        == f"cannot {call} {tmp_path}/run.json: {os.strerror(number)}: {remedy}, then continue with scripts/crossover"
        f" run --resume {tmp_path}"
    )
    assert (caught.value.code, list(tmp_path.iterdir())) == (Exit.ENVIRONMENT, [])


def test_a_folder_that_cannot_be_made_names_call_folder_and_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT):
        monkeypatch.setattr(Path, "mkdir", refusing(number))
        with pytest.raises(Problem) as caught:
            output.make(tmp_path / "out", "quick")
        assert (
            str(caught.value) == f"cannot mkdir {tmp_path}/out: {os.strerror(number)}: choose another folder with --out"
        )


def test_two_runs_of_one_moment_get_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "ROOT", tmp_path)
    monkeypatch.setattr(output.time, "strftime", lambda _: "now-")
    assert [output.make(None, "quick").name for _ in range(3)] == ["now-quick", "now-quick-2", "now-quick-3"]


def a_file(place: Path) -> Path:
    place.write_text("mine")
    return place


def a_link_to_nothing(place: Path) -> Path:
    place.symlink_to("nowhere")
    return place


def a_loop_of_links(place: Path) -> Path:
    place.symlink_to(place)
    return place


def too_long_a_name(place: Path) -> Path:
    return place.with_name("x" * 300)


@pytest.mark.parametrize(
    ("make", "code", "line"),
    [
        (a_file, 2, "--out {place} is a file: name a folder"),
        (
            a_link_to_nothing,
            2,
            "--out {place} is a link to nowhere, which is not there: make that folder, or name another",
        ),
        (
            a_loop_of_links,
            2,
            "--out {place} is a link to {place}, which is not there: make that folder, or name another",
        ),
        (too_long_a_name, 3, "cannot stat --out {place}: File name too long: name another folder"),
    ],
)
def test_an_out_that_is_no_folder_is_refused_before_anything_is_measured(
    benches: Benches, tmp_path: Path, make: Any, code: int, line: str
) -> None:
    benches.add("odd")
    place = make(tmp_path / "place")
    result = benches.drive("run", "--out", str(place))
    assert (result.code, result.err) == (code, f"crossover: {line.format(place=place)}\n")

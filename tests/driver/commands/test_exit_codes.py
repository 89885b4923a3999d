"""Only a regression gives exit code 1; a broken environment gives code 3 and one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from driver.commands.main import main
from driver.doctor import doctor
from tests.driver.conftest import DRIVE, ROOT, Benches
from tests.driver.machine.test_environment import measured

LAUNCHER = ROOT / "scripts" / "crossover"


def crossover(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [str(LAUNCHER), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, **options
    )


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Two of which the second is three times as slow in one model."""
    folders = [tmp_path / "before", tmp_path / "after"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(measured(number, 1 + 2 * number)))
    return [str(folder) for folder in folders]


def test_an_interpreter_that_cannot_start_is_code_3_and_one_line(runs: list[str], tmp_path: Path) -> None:
    needed = subprocess.run(["ldd", "/usr/bin/python3"], capture_output=True, text=True).stdout.split()
    library = next((name for name in ("libexpat.so.1", "libz.so.1", "libm.so.6") if name in needed), None)
    if library is None:
        pytest.skip("this Python needs no library that the shell does without")
    (tmp_path / library).write_bytes(b"")
    done = crossover("check", *runs, env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)})
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert done.stderr.startswith("crossover: /usr/bin/python3 does not start: ") and library in done.stderr


@pytest.mark.parametrize(
    ("python", "line"),
    [
        ("exit 1", "does not start: it says nothing"),
        (
            "echo is Python 3.9: 3.11 is needed, use Debian 12 or a recent Ubuntu >&2; exit 1",
            "does not start: is Python 3.9: 3.11 is needed, use Debian 12 or a recent Ubuntu",
        ),
        ("kill -SEGV $$", "does not start: "),
        (None, "setup: no network"),
    ],
)
def test_a_python_that_is_missing_broken_or_too_old_is_code_3_and_one_line(
    python: str | None, line: str, tmp_path: Path
) -> None:
    own = tmp_path / "python3"
    if python is not None:
        own.write_text(f"#!/bin/sh\n{python}\n")
        own.chmod(0o755)
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name, text in (
        ("crossover", LAUNCHER.read_text().replace("python=/usr/bin/python3", f"python={own}")),
        ("setup", "#!/bin/sh\necho setup: no network >&2\nexit 1\n"),
    ):
        (scripts / name).write_text(text)
        (scripts / name).chmod(0o755)
    done = subprocess.run([str(scripts / "crossover"), "check", "a", "b"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "")
    assert line in done.stderr.splitlines()[-1]


# the second belongs to one verb
@pytest.mark.parametrize(("module", "told"), [("options", "crossover: does not start: "), ("check", "crossover: ")])
@pytest.mark.parametrize(
    "damage",
    [
        "import a_module_of_another_world",
        "raise ImportError('of another version')",
        "1 +",
        "raise RecursionError",
        "raise MemoryError",
    ],
)
def test_a_driver_that_cannot_be_imported_is_code_3_and_one_line(
    damage: str, module: str, told: str, tmp_path: Path
) -> None:
    for folder in ("vocabulary", "verdicts", "driver", "reports", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    with open(tmp_path / "driver" / "commands" / f"{module}.py", "a") as source:
        source.write(f"\n{damage}\n")
    done = subprocess.run(
        [str(tmp_path / "scripts" / "crossover"), "check", "a", "b"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1), done.stderr
    assert done.stderr.startswith(told)


@pytest.mark.parametrize("kib", [20_000, 40_000, 70_000])
def test_too_little_memory_is_code_3_and_one_line(kib: int, runs: list[str]) -> None:
    done = subprocess.run(
        ["/bin/bash", "-c", f'ulimit -v {kib}; exec "$@"', "bash", str(LAUNCHER), "check", *runs],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr


@pytest.mark.parametrize(
    "error",
    [
        RecursionError("too deep"),
        MemoryError(),
        ImportError("no such symbol"),
        BrokenPipeError(32, "Broken pipe"),
        KeyError("a"),
        SystemError(),
    ],
)
def test_whatever_is_thrown_is_code_3_and_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def throw(*_: object) -> None:
        raise error

    monkeypatch.setattr(doctor, "examine", throw)
    assert main(["doctor"]) == 3
    told = capsys.readouterr().err
    assert told.startswith("crossover: ") and told.count("\n") == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_reader_that_sees_nothing_of_it_changes_no_verdict_of_a_check(order: int, runs: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [str(LAUNCHER), "check", *runs[::order]], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=600
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1 if order == 1 else 0, "")


def test_a_numpy_that_cannot_be_imported_ends_a_run_before_anything_is_started(
    benches: Benches, tmp_path: Path
) -> None:
    benches.add("odd", requests=str(tmp_path / "requests"))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "numpy.py").write_text(
        "raise ImportError('this page says a lot\\nOriginal error was: built for another Python\\n')"
    )
    python, flag, drive, *rest = benches.command("run", "--out", str(tmp_path / "out"))
    drive = drive.replace("findings.INSTALLED.clear()", f"sys.path.insert(0, {str(foreign)!r})")
    done = subprocess.run([python, flag, drive, *rest], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (
        3,
        (
            "crossover: this machine cannot measure: Python modules: a Python module cannot be loaded: built for"
            " another Python: fix that, or reinstall it with apt\n"
        ),
    )
    assert not (tmp_path / "requests").exists() and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "error", ["MemoryError()", "ImportError('gone')", "OSError(28, 'No space left on device')", "KeyError('x')"]
)
def test_a_report_that_fails_after_the_measuring_loses_nothing_of_it(error: str, benches: Benches) -> None:
    benches.add("odd")
    out = benches.folder.parent / "out"
    python, flag, drive, *rest = benches.command("run", "--seed", "1", "--out", str(out))
    assert "return []" in DRIVE
    done = subprocess.run(
        [python, flag, drive.replace("return []", f"raise {error}"), *rest], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].endswith(
        f"; what was measured is in {out}/run.json, and scripts/crossover report {out} draws it"
    )
    assert json.loads((out / "run.json").read_text())["run"]["complete"]

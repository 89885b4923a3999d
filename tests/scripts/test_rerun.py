"""scripts/rerun with the real ctest and pytest on tests that change their mind, and scripts/test over such a
project."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
PASS = "exit 0"
FAIL = "echo too late; exit 1"


class Project:
    """Holds copies of the scripts, and test folders as a build leaves them. cmake, setup and tidy do nothing."""

    def __init__(self, folder: Path):
        self.folder, self.temporary = folder, folder / "tmp"
        for name in ("bin", "scripts", "runs", "tmp", "tests/scaffold"):
            (folder / name).mkdir(parents=True)
        for name in ("test", "rerun", "fast"):
            shutil.copy(SCRIPTS / name, folder / "scripts")
        (folder / "driver" / "machine").mkdir(parents=True)
        shutil.copy(SCRIPTS.parent / "driver" / "machine" / "neighbours.py", folder / "driver" / "machine")
        self.double("scripts/setup", PASS)
        self.double("scripts/tidy", PASS)
        self.double("bin/cmake", PASS)
        self.double("bin/nproc", "echo 1")
        (folder / "pytest.ini").write_text('[pytest]\naddopts = -m "not slow"\nmarkers = slow\n')
        (folder / "tests/test_fine.py").write_text("def test_fine(): pass\n")
        for name in ("scaffold", "verdicts", "reports", "driver"):
            (folder / "tests" / name).mkdir(parents=True, exist_ok=True)
            (folder / "tests" / name / f"test_slow_{name}.py").write_text(
                "import pytest\n@pytest.mark.slow\ndef test_new(): pass\n"
            )
        for build in ("release", "asan", "clang/runtimes/event_loop", "tsan"):
            (folder / "build" / build).mkdir(parents=True)
            self.add("fine", PASS, PASS, build)

    def double(self, path: str, body: str) -> None:
        (self.folder / path).write_text(f"#!/bin/sh\n{body}\n")
        (self.folder / path).chmod(0o755)

    def add(self, name: str, first: str, second: str = PASS, build: str = "release", properties: str = "") -> None:
        """A test of ctest: shell lines that its first run takes, and all later ones."""
        number = len(list(self.folder.glob("*.sh")))
        script, runs = self.folder / f"{number}.sh", self.folder / "runs" / name.replace("/", "|")
        script.write_text(f"echo >> '{runs}'\nif [ $(wc -l < '{runs}') = 1 ]; then\n{first}\nelse\n{second}\nfi\n")
        with open(self.folder / "build" / build / "CTestTestfile.cmake", "a") as file:
            file.write(
                f"add_test([=[{name}]=] sh {script})\nset_tests_properties([=[{name}]=] PROPERTIES TIMEOUT 20"
                f" {properties})\n"
            )

    def add_python(self, name: str, first: str, second: str = "pass", parameter: str = "") -> None:
        """A test of pytest in a class: the statement that its first run takes, and all later ones."""
        runs = self.folder / "runs" / name
        (self.folder / "tests/test_odd.py").write_text(
            f"import os, pytest\nclass Test:\n    @pytest.mark.parametrize('p', [{parameter!r}])\n    def {name}(self,"
            f" p):\n        with open({str(runs)!r}, 'a') as file: file.write('\\n')\n        if"
            f" os.path.getsize({str(runs)!r}) == 1:\n            {first}\n        else:\n            {second}\n"
        )

    def runs(self, name: str) -> int:
        return len((self.folder / "runs" / name.replace("/", "|")).read_text())

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.folder}/bin:/usr/bin:/bin", "TMPDIR": str(self.temporary)}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, errors="replace", timeout=100
        )

    def ctest(self) -> int:
        command = ["ctest", "--test-dir", "build/release", "--output-on-failure", "-j", "8"]
        return self.run("scripts/rerun", ".", "release", *command).returncode

    def pytest(self, *options: str) -> int:
        command = ["/usr/bin/python3", "-m", "pytest", "-q", *options, "tests"]
        return self.run("scripts/rerun", ".", "python", *command).returncode

    def flaky(self) -> list[str]:
        file = self.folder / "flaky"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_test_that_fails_and_then_passes_is_flaky(project: Project) -> None:
    project.add("odd", FAIL)
    assert (project.ctest(), project.flaky()) == (0, ["release odd"])
    assert (project.runs("odd"), project.runs("fine")) == (2, 1)
    assert not list(project.temporary.glob("tmp*"))


def test_a_test_that_fails_twice_fails(project: Project) -> None:
    project.add("odd", FAIL, FAIL)
    assert (project.ctest(), project.flaky(), project.runs("odd")) == (8, [], 2)


def test_nothing_is_run_twice_where_all_pass(project: Project) -> None:
    assert (project.ctest(), project.flaky(), project.runs("fine")) == (0, [], 1)


def test_a_skipped_second_run_proves_nothing(project: Project) -> None:
    project.add("odd", FAIL, "exit 77", properties="SKIP_RETURN_CODE 77")
    assert (project.ctest(), project.flaky()) == (8, [])


def test_names_are_taken_literally(project: Project) -> None:
    for name in ("od", "odd/pool<int>.a+b (1)", "odd/poolint.aab 1"):
        project.add(name, FAIL if "<" in name else PASS)
    assert (project.ctest(), project.flaky()) == (0, ["release odd/pool<int>.a+b (1)"])
    assert project.runs("od") == 1


def test_the_second_run_has_nothing_beside_it(project: Project) -> None:
    for name in "abc":
        project.add(name, FAIL, "mkdir alone && sleep 0.1 && rmdir alone")
    assert (project.ctest(), sorted(project.flaky())) == (0, ["release a", "release b", "release c"])


@pytest.mark.parametrize("number, runs", [(5, 2), (6, 1)])
def test_more_failures_than_a_few_are_no_accident(project: Project, number: int, runs: int) -> None:
    for i in range(number):
        project.add(f"odd_{i}", FAIL)
    assert (project.ctest() == 0, project.runs("odd_0")) == (runs == 2, runs)


@pytest.mark.parametrize("end", ["kill -SEGV $$", "kill -ABRT $$", "kill -BUS $$", "kill -FPE $$", "kill -KILL $$"])
def test_a_crash_is_not_run_again(project: Project, end: str) -> None:
    project.add("odd", end)
    assert (project.ctest(), project.flaky(), project.runs("odd")) == (8, [], 1)


def test_a_hang_is_not_run_again(project: Project) -> None:
    project.add("odd", "exec sleep 30", properties="TIMEOUT 0.2")
    assert (project.ctest(), project.flaky()) == (8, [])


def test_a_program_that_is_missing_is_not_flaky_beside_one_that_is(project: Project) -> None:
    project.add("odd", FAIL)
    with open(project.folder / "build/release/CTestTestfile.cmake", "a") as file:
        file.write("add_test(gone /nowhere/gone)\n")
    assert (project.ctest(), project.flaky(), project.runs("odd")) == (8, [], 1)


BUGS = [
    "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010",
    "==7==ERROR: LeakSanitizer: detected memory leaks",
    "WARNING: ThreadSanitizer: data race (pid=7)",
    "loop.cpp:7:3: runtime error: signed integer overflow",
    "==7== ERROR: libFuzzer: timeout after 12 seconds",
    "the bench was killed by SIGSEGV",
    "worker died at item 7: signal 11 (Segmentation fault)",
    "AssertionError: -6 != 0",
    "sh: line 1: 7 Aborted (core dumped)",
    '{"outcome": "wrong", "reason": "2 tasks, not 3"}',
    "AssertionError: 'wrong' != 'ok'",
    'C++ exception with description "the sum is 2, not 3" thrown in the test body.',
    "item 7 never ran",
    "item 7 ran 2 times in 1 iterations",
    "item 7 ran twice",
    "checksum 9f3a differs from the first one, 9f3b",
    "elements lost or doubled",
]


@pytest.mark.parametrize("said", BUGS)
def test_what_shows_a_bug_is_not_run_again(project: Project, said: str) -> None:
    project.add("odd", f"cat <<'END'\n{said}\nEND\nexit 1")
    assert (project.ctest(), project.flaky(), project.runs("odd")) == (8, [], 1)


def test_a_bug_is_found_at_the_end_of_a_long_output_of_any_bytes(project: Project) -> None:
    project.add(
        "odd", "printf '\\377\\033<&]]>'; yes | head -c 1000000; echo 'WARNING: ThreadSanitizer: data race'; exit 1"
    )
    assert (project.ctest(), project.flaky(), project.runs("odd")) == (8, [], 1)


def test_names_of_tests_and_suppressed_races_are_no_bugs(project: Project) -> None:
    names = [
        "origin.answers_a_wrong_target",
        "stream_test.one_was_lost",
        "item_checksum.tells_items_apart",
        "account_test.it_never_ran",
    ]
    lines = [*(f"[ RUN      ] {name}" for name in names), "ThreadSanitizer: Matched 2 suppressions"]
    project.add("odd", "".join(f"echo '{line}'\n" for line in lines) + FAIL)
    assert (project.ctest(), project.flaky()) == (0, ["release odd"])


def test_a_python_test_is_named_by_file_class_and_parameter(project: Project) -> None:
    project.add_python("test_odd", "assert p == 'too late'", parameter="a-[b]::c/d é.\n")
    assert project.pytest() == 0
    assert project.flaky() == ["python tests/test_odd.py::Test::test_odd[a-[b]::c/d \\xe9.\\n]"]
    assert project.runs("test_odd") == 2


def test_a_python_test_that_fails_twice_fails(project: Project) -> None:
    project.add_python("test_odd", "assert p", "assert p")
    assert (project.pytest(), project.flaky(), project.runs("test_odd")) == (1, [], 2)


def test_a_python_test_whose_fixture_fails_is_run_again(project: Project) -> None:
    begun = project.folder / "begun"
    (project.folder / "tests/test_odd.py").write_text(
        f"import os, pytest\n@pytest.fixture\ndef server():\n    if not os.path.exists({str(begun)!r}):\n"
        f"        os.mkdir({str(begun)!r})\n        pytest.fail('too late')\ndef test_odd(server): pass\n"
    )
    assert (project.pytest(), project.flaky()) == (0, ["python tests/test_odd.py::test_odd"])


@pytest.mark.parametrize(
    "first", ["assert 'wrong' == p", "print('WARNING: ThreadSanitizer: data race'); assert p", "assert -11 == 0"]
)
def test_what_shows_a_bug_is_not_run_again_in_python_either(project: Project, first: str) -> None:
    project.add_python("test_odd", first)
    assert (project.pytest(), project.flaky(), project.runs("test_odd")) == (1, [], 1)


def test_a_bug_is_found_also_where_the_teardown_fails_after_it(project: Project) -> None:
    (project.folder / "tests/test_odd.py").write_text(
        "import pytest\n@pytest.fixture\ndef server():\n    yield\n    pytest.fail('too late')\ndef test_odd(server):"
        " assert 'wrong' == 'ok'\n"
    )
    done = project.run("scripts/rerun", ".", "python", "/usr/bin/python3", "-m", "pytest", "-q", "tests")
    assert done.returncode == 1 and "once more" not in done.stdout


@pytest.mark.parametrize("options", [[], ["-n", "1"]])
def test_a_python_test_that_hangs_is_ended_and_not_run_again(project: Project, options: list[str]) -> None:
    conftest = (SCRIPTS.parent / "tests/conftest.py").read_text()
    (project.folder / "tests/conftest.py").write_text(
        conftest.replace("LIMIT_S, SLOW_LIMIT_S = 120", "LIMIT_S, SLOW_LIMIT_S = 1")
    )
    project.add_python("test_odd", "import subprocess; subprocess.run(['sleep', '90'])")
    assert (project.pytest(*options), project.flaky(), project.runs("test_odd")) == (1, [], 1)


@pytest.mark.parametrize("options", [[], ["-n", "1"]])
def test_a_python_test_that_crashes_is_not_run_again(project: Project, options: list[str]) -> None:
    project.add_python("test_odd", "os.abort()")
    assert project.pytest(*options) != 0
    assert (project.flaky(), project.runs("test_odd")) == ([], 1)


def test_a_python_file_that_cannot_be_read_fails(project: Project) -> None:
    (project.folder / "tests/test_odd.py").write_text("import nowhere\n")
    assert project.pytest("-n", "1") != 0
    assert project.flaky() == []


def test_the_last_line_names_what_was_flaky_in_each_stage(project: Project) -> None:
    project.add("contract_fibers", FAIL)
    project.add("odd", FAIL, build="clang/runtimes/event_loop")
    project.add_python("test_odd", "assert p")
    done = project.run("scripts/test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        done.stdout.splitlines()[-1] == "test: flaky, passed when run again alone: release contract_fibers, python"
        " tests/test_odd.py::Test::test_odd[], clang odd"
    )
    assert not list(project.temporary.glob("tmp*"))


def test_the_last_line_comes_also_when_a_later_stage_fails(project: Project) -> None:
    project.add("contract_fibers", FAIL)
    project.add("odd", "kill -SEGV $$", build="asan")
    done = project.run("scripts/test")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "test: flaky, passed when run again alone: release contract_fibers"
    assert done.stderr.splitlines()[-1] == "test: asan failed; the stages after it did not run"


def test_a_python_stage_that_fails_is_named(project: Project) -> None:
    project.add_python("test_odd", "assert p", "assert p")
    done = project.run("scripts/test")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "test: python failed; the stages after it did not run"
    assert "flaky" not in done.stdout + done.stderr

"""scripts/test: which stages run, on which tests, and what is told at the end."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scripts.test_rerun import FAIL, PASS, Project

STAGES = ["tidy", "release", "python", "asan", "clang", "tsan", "scaffold"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def stages_of(done: "subprocess.CompletedProcess[str]") -> list[str]:
    return [
        line.removeprefix("test: ")
        for line in done.stdout.splitlines()
        if line.removeprefix("test: ") in ["setup", "fast", *STAGES]
    ]


def test_without_a_name_all_stages_run_but_fast_and_other(project: Project) -> None:
    done = project.run("scripts/test")
    assert (done.returncode, stages_of(done)) == (0, ["setup", *STAGES]), done.stderr


def test_named_stages_run_in_the_order_named_after_the_set_up(project: Project) -> None:
    done = project.run("scripts/test", "python", "release")
    assert (done.returncode, stages_of(done)) == (0, ["setup", "python", "release"])


def test_help_lists_all_stages(project: Project) -> None:
    done = project.run("scripts/test", "--help")
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert (done.returncode, listed) == (0, ["fast", *STAGES, "other", "-k"])


@pytest.mark.parametrize(
    "arguments, told",
    [(["fats"], "there is no stage 'fats'"), (["-k"], "-k needs a name"), (["release", "other"], "other runs alone")],
)
def test_a_wrong_argument_is_answered_in_one_line(project: Project, arguments: list[str], told: str) -> None:
    done = project.run("scripts/test", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"test: {told}; scripts/test --help lists the stages\n"


def test_only_tests_of_a_name_run(project: Project) -> None:
    project.add("odd", PASS)
    done = project.run("scripts/test", "release", "python", "-k", "odd")
    assert (done.returncode, project.runs("odd")) == (0, 1), done.stdout + done.stderr
    assert not (project.folder / "runs" / "fine").exists()


def test_a_test_of_a_name_that_fails_runs_once_more(project: Project) -> None:
    project.add("odd", FAIL)
    done = project.run("scripts/test", "release", "-k", "od")
    assert (done.returncode, project.runs("odd")) == (0, 2)
    assert done.stdout.splitlines()[-1] == "test: flaky, passed when run again alone: release odd"


def test_a_name_that_no_test_has_fails(project: Project) -> None:
    done = project.run("scripts/test", "release", "python", "-k", "nowhere")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "test: no test of these stages has 'nowhere' in its name",
    )


def test_the_slowest_ten_tests_are_named_slowest_first(project: Project) -> None:
    project.add("slow", "sleep 0.5")
    for number in range(10):
        project.add(f"quick_{number}", PASS)
    done = project.run("scripts/test", "release")
    after = done.stdout.splitlines()
    named = [line.split(None, 1) for line in after[after.index("test: the slowest, in seconds:") + 1 :]]
    assert len(named) == 10 and named == sorted(named, key=lambda each: -float(each[0]))
    assert "release slow" in [name for _, name in named]


def test_a_list_of_tests_longer_than_a_pipe_holds_is_summed_up_and_passes(project: Project) -> None:
    (project.folder / "tests/test_many.py").write_text(
        "import pytest\n@pytest.mark.parametrize('p', [f'{i:0200}' for i in range(2000)])\ndef test_it(p): pass\n"
    )
    done = project.run("scripts/test", "python")
    assert done.returncode == 0, done.stderr
    after = done.stdout.splitlines()
    assert len(after[after.index("test: the slowest, in seconds:") + 1 :]) == 10


class Changed(Project):
    """A project of git, with two programs, their tests, and a Python module with one."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        shutil.rmtree(folder / "build")
        (folder / "bin" / "cmake").unlink()
        (folder / "CMakePresets.json").write_text(
            '{"version": 3, "configurePresets": [{"name": "release", "generator": "Ninja", "binaryDir":'
            ' "${sourceDir}/build/release"}]}'
        )
        programs = "".join(
            f"add_executable({name} {name}.cpp)\nadd_test(NAME {name} COMMAND {name})\n" for name in ("one", "other")
        )
        (folder / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.25)\nproject(p CXX)\nenable_testing()\n{programs}"
        )
        (folder / "deep.hpp").write_text("")
        (folder / "one.hpp").write_text('#include "deep.hpp"\n')
        (folder / "one.cpp").write_text('#include "one.hpp"\nint main() {}\n')
        (folder / "other.cpp").write_text("int main() {}\n")
        (folder / "driver" / "module.py").write_text("")
        for name in ("module", "neighbours"):
            (folder / "tests" / "driver" / f"test_of_{name}.py").write_text(
                f"from driver import {name}\ndef test_it(): pass\n"
            )
        (folder / ".gitignore").write_text("build\ntmp\nruns\n__pycache__\n")
        self.git("init", "-q")
        self.commit()

    def git(self, *command: str) -> None:
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *command], cwd=self.folder, check=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "all")

    def change(self, file: str) -> None:
        with open(self.folder / file, "a") as text:
            text.write("\n")

    def fast(self, *more: str) -> list[str]:
        """The tests that ran."""
        done = self.run("scripts/test", "fast", *more)
        assert done.returncode == 0, done.stdout + done.stderr
        return sorted(
            line.split()[-1] for line in done.stdout.splitlines() if line.startswith("    ") and " fast " in line
        )


def test_fast_builds_and_runs_what_a_header_is_included_by(tmp_path: Path) -> None:
    project = Changed(tmp_path)
    project.change("deep.hpp")
    assert project.fast() == ["one"]
    assert not (project.folder / "build/release/other").exists()


def test_fast_runs_the_tests_that_import_a_changed_module(tmp_path: Path) -> None:
    project = Changed(tmp_path)
    project.change("driver/module.py")
    assert project.fast() == ["tests/driver/test_of_module.py::test_it"]


def test_fast_runs_what_the_last_commit_changed_where_all_is_committed(tmp_path: Path) -> None:
    project = Changed(tmp_path)
    project.change("other.cpp")
    project.change("driver/module.py")
    project.commit()
    assert project.fast() == ["other", "tests/driver/test_of_module.py::test_it"]
    assert project.fast("-k", "oth") == ["other"]

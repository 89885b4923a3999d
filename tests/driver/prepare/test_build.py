"""What is said when setting up or building goes wrong."""

import io
from pathlib import Path

import pytest

from driver.prepare import build
from driver.prepare.build import programs, servers, step, targets
from driver.problem import Exit, Problem
from driver.progress import Progress


def failing(command: list[str]) -> tuple[Problem, str]:
    said = io.StringIO()
    with pytest.raises(Problem) as caught:
        step("building", command, Progress(said))
    return caught.value, said.getvalue()


def test_a_tool_that_fails_shows_its_last_lines_only() -> None:
    problem, said = failing(["/bin/sh", "-c", "seq 100; echo 'error: no such header' >&2; exit 7"])
    assert str(problem) == "building failed (exit code 7); its last lines are above"
    assert problem.code == Exit.ENVIRONMENT
    assert said.splitlines()[0] == "    87" and said.splitlines()[-1] == "    error: no such header"


def test_a_tool_that_says_one_line_is_quoted_as_the_problem() -> None:
    problem, said = failing(["/bin/sh", "-c", "echo 'setup: run as root: apt-get install g++' >&2; exit 3"])
    assert str(problem) == "setup: run as root: apt-get install g++"
    assert said == ""


def test_a_tool_that_is_missing_is_named_with_the_remedy() -> None:
    problem, _ = failing(["/nowhere/cmake"])
    assert str(problem) == "building: /nowhere/cmake does not run: No such file or directory: run scripts/setup"


def test_a_model_of_another_language_is_not_built_and_not_refused(tmp_path: Path) -> None:
    (tmp_path / "bench_node").symlink_to("/usr/bin/true")
    assert targets([], [], tmp_path) == ["benches"]
    assert targets(["serial", "node"], ["serial", "fibers"], tmp_path) == ["bench_serial", "origin", "load"]
    # TBB is missing
    assert targets([], ["serial", "fibers"], tmp_path, few=["serial", "tbb_tasks"]) == [
        "bench_serial",
        "origin",
        "load",
    ]
    with pytest.raises(Problem, match="there is no model nose .did you mean node."):
        targets(["nose"], ["serial"], tmp_path)


def test_what_succeeds_says_nothing() -> None:
    said = io.StringIO()
    step("building", ["/bin/sh", "-c", "echo '[1/2] cc'; echo '[2/2] ld'"], Progress(said))
    assert said.getvalue() == ""


@pytest.mark.parametrize(
    "line, told",
    [
        (
            "[3/4] Building CXX object runtimes/CMakeFiles/model_serial.dir/__/bench/cell/make_model.cpp.o",
            ("building model_serial 3/4", 2.0),
        ),
        ("[3/4] Linking CXX executable bench/bench_serial", ("building bench_serial 3/4", 2.0)),
        ("[1/4] cc", ("building cc 1/4", None)),
        ("ninja: no work to do.", ("building", None)),
    ],
)
def test_a_build_names_its_step_and_the_time_left(line: str, told: tuple[str, float | None]) -> None:
    assert build._of_ninja("building", line, 6.0) == told


def test_of_the_models_that_the_build_knows_only_some_may_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("serial", "fibers", "node"):
        (tmp_path / f"bench_{name}").touch(0o755)
    monkeypatch.setattr(build, "models_of", lambda _tree: ["serial", "fibers"])
    assert list(programs(tmp_path, ["serial"])) == ["node", "serial"]


def test_bench_programs_are_found_by_their_names_and_other_files_are_not(tmp_path: Path) -> None:
    for name, mode in (("bench_serial", 0o755), ("bench_notes.txt", 0o644), ("CMakeFiles", 0o755)):
        (tmp_path / name).touch(mode)
    (tmp_path / "bench_folder").mkdir()
    assert programs(tmp_path) == {"serial": tmp_path / "bench_serial"}


@pytest.mark.parametrize("place", ["origin", "origin/origin"])
def test_servers_may_lie_beside_the_benches_or_in_folders_of_their_own(tmp_path: Path, place: str) -> None:
    assert servers(tmp_path) == {}
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    assert servers(tmp_path) == {"origin": tmp_path / place}


def prepared(monkeypatch: pytest.MonkeyPatch, models: list[str], workloads: list[str]) -> list[str]:
    """The steps, and what is built."""
    done: list[str] = []
    monkeypatch.setattr(
        build,
        "step",
        lambda what, command, _progress: done.append(
            what if what != "building" else " ".join(command[command.index("--target") + 1 :])
        ),
    )
    monkeypatch.setattr(build, "BENCHES", Path("/nowhere"))
    monkeypatch.setattr(build, "models_of", lambda _tree: ["serial", "fibers"])
    try:
        build.prepare(models, workloads, Progress(io.StringIO()))
    except Problem as problem:
        done.append(str(problem))
    return done


def test_only_the_benches_that_were_asked_for_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepared(monkeypatch, ["fibers"], ["fib"]) == ["setting up", "configuring", "bench_fibers origin load"]
    assert prepared(monkeypatch, [], []) == ["setting up", "configuring", "benches"]


def test_a_name_that_does_not_exist_is_answered_before_anything_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    (answer,) = prepared(monkeypatch, [], ["fibb"])
    assert answer.startswith("there is no workload fibb (did you mean fib?); there are: blocking_call, ")
    assert prepared(monkeypatch, ["fibres"], [])[2:] == [
        "there is no model fibres (did you mean fibers?); there are: fibers, serial"
    ]


def test_a_tool_does_not_outlive_an_interrupted_build() -> None:
    class Interrupting(Progress):
        def tell(self, what: str, left_s: float | None = None) -> None:
            if what.endswith(" 1/2"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # after the end of the tool, which would take a quarter of an hour
        step("building", ["/bin/sh", "-c", "echo '[1/2]'; exec sleep 900"], Interrupting(io.StringIO()))

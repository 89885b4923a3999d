"""Bad input gets one line with the remedy, and the right exit code."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from reports.pages.validate import faults

from tests.driver.conftest import ROOT, Benches

USAGE = [
    (["run", "--models", "evne"], "there is no model evne (did you mean even?); there are: even, odd"),
    (["run", "--workloads", "spni"], "there is no workload spni (did you mean spin?); there are: spin, wait"),
    (["run", "--sede=3"], "there is no option --sede (did you mean --seed?); there are: --a"),
    (["list", "--frobnicate"], "there is no option --frobnicate; there are: --fairness, --help"),
    (["run", "fast"], "unrecognized arguments: fast"),
    (["run", "--quick", "--full"], "not allowed with argument"),
    (
        ["run", "--allocator", "tcmalloc"],
        "there is no allocator tcmalloc (did you mean mimalloc?); there are: glibc, jemalloc, mimalloc",
    ),
    (["run", "--cores", "0"], "--cores 0: this process may use 1 to"),
    (["run", "--cores", "many"], "invalid int value"),
    (["run", "--seed", "-4"], "--seed -4 is negative"),
    (["run", "--seed", str(1 << 63)], "does not fit into 63 bits"),
    (["run", "--time-budget", "soon"], "write 90s, 5m or 1h"),
    (["run", "--time-budget", "9" * 400], "is over a month"),
    (["run", "--resume", "nowhere"], "there is no run to resume in nowhere"),
    (["run", "--resume", "nowhere", "--seed", "3"], "only --time-budget can be added"),
    (["report", "nowhere"], "there is no run in nowhere"),
    (["fly"], "there is no verb fly; there are: advise, check"),
    (["repotr", "x"], "there is no verb repotr (did you mean report?)"),
    (["new", "modle", "x"], "there is no kind modle; there are: runtime, workload"),
    (["run", "--models", ","], "--models , names nothing"),
    (["run", "--cells", ""], "--cells  names nothing"),
    (["run", "--workloads", ""], "--workloads  names nothing"),
    (["check", "a", "b", "--threshold", "-5%"], "expected one argument, which does not begin with -"),
    ([], "say what to do"),
]


@pytest.mark.parametrize(("arguments", "line"), USAGE)
def test_usage_errors_say_what_there_is(benches: Benches, arguments: list[str], line: str) -> None:
    benches.add("odd")
    benches.add("even")
    result = benches.drive(*arguments)
    assert result.code == 2
    assert line in result.err
    assert result.err.startswith("crossover: ") and result.err.count("\n") == 1


def test_nothing_in_the_list_of_sizes_is_nothing_matched(benches: Benches) -> None:
    benches.add("odd", lists=["full"])
    result = benches.run("--quick")
    assert result.code == 6
    assert not result.folder.exists()


def test_only_unsupported_cells_are_nothing_matched_and_say_why(benches: Benches) -> None:
    benches.add("odd", cells={"spin": {"status": "unsupported", "reason": "needs can_fork"}})
    result = benches.run("--workloads", "spin")
    assert result.code == 6
    assert "needs can_fork" in result.err


def test_a_results_folder_that_holds_something_is_not_touched(benches: Benches) -> None:
    benches.add("odd")
    out = benches.folder.parent / "out"
    out.mkdir()
    (out / "precious").write_text("mine")
    result = benches.run()
    assert result.code == 2
    assert "is not empty" in result.err
    assert [path.name for path in out.iterdir()] == ["precious"]


@pytest.mark.parametrize("place", ["/proc/results", "/dev/null/results"])
def test_a_results_folder_that_cannot_be_made_is_an_environment_error(benches: Benches, place: str) -> None:
    benches.add("odd")
    result = benches.drive("run", "--out", place)
    assert result.code == 3
    assert result.err.count("\n") == 1


def test_an_empty_build_says_how_to_build(benches: Benches) -> None:
    result = benches.drive("list")
    assert result.code == 3
    assert "nothing is built yet" in result.err


def test_a_folder_of_models_of_which_none_opens_is_an_environment_error(benches: Benches) -> None:
    benches.add("odd", fault={"do": "hello", "kind": "cannot_run"})
    result = benches.run()
    assert result.code == 3
    assert "odd: io_uring is not permitted here" in result.err


def test_list_shows_models_verbs_reasons_and_workloads(benches: Benches) -> None:
    benches.add("odd")
    result = benches.drive("list")
    assert result.code == 0
    assert "no fork: has one thread only (odd)" in result.out
    assert "spin (cpu, decided by time): what does it cost to spin?" in result.out
    assert "tasks:10 delay_us:5  [quick, full]  on 1 of 1 models" in result.out


def test_a_missing_python_module_is_named_with_the_remedy(benches: Benches, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    broken = tmp_path / "path"
    broken.mkdir()
    (broken / "jinja2.py").write_text("import matplotlib_of_another_world")
    code = (
        f"import sys; sys.path[:0] = [{str(broken)!r}, {str(ROOT)!r}]; from driver.commands.main import main;"
        f" sys.exit(main(['report', {str(tmp_path)!r}]))"
    )
    done = subprocess.run(["/usr/bin/python3", "-B", "-c", code], capture_output=True, text=True)
    assert done.returncode == 3
    assert "matplotlib_of_another_world is missing: run scripts/setup" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_begins_where_python_has_nothing_yet_of_what_setup_brings() -> None:
    """Without -S the modules of Debian's packages would be there."""
    done = subprocess.run(
        [
            "/usr/bin/python3",
            "-S",
            ROOT / "driver" / "__main__.py",
            "run",
            "--models",
            "no_such_model",
            "--workloads",
            "no_such_work",
        ],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("crossover: there is no workload no_such_work")


def test_the_launcher_works_from_any_folder_and_through_a_link(tmp_path: Path) -> None:
    link = tmp_path / "crossover"
    link.symlink_to(ROOT / "scripts" / "crossover")
    (tmp_path / "driver").mkdir()  # a namesake in the present folder is not taken for ours
    done = subprocess.run(
        [str(link), "report", "nowhere"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    assert "there is no run in nowhere" in done.stderr


@pytest.mark.parametrize("flags", [[], ["-u"]])
def test_a_reader_that_has_seen_enough_of_the_list_is_no_problem(benches: Benches, flags: list[str]) -> None:
    benches.add("odd")
    python, *rest = benches.command("list")
    nobody_reads, output = os.pipe()
    os.close(nobody_reads)
    done = subprocess.run([python, *flags, *rest], stdout=output, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(output)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_console_counts_the_cells_as_the_report_does(benches: Benches) -> None:
    benches.add("event_loop")
    benches.add("odd", cells={"wait": {"status": "unsupported", "reason": "has no clock"}})
    result = benches.run("--full")
    assert any(model.get("twin_of") for model in result.run["models"])
    assert f"measured into {result.folder}: 3 ok, 1 not supported\n" in result.err


@pytest.mark.parametrize("flags", [[], ["-u"]])
def test_an_output_that_is_full_is_one_line_and_an_environment_error(benches: Benches, flags: list[str]) -> None:
    benches.add("odd")
    python, *rest = benches.command("list")
    with open("/dev/full", "w") as full:
        done = subprocess.run([python, *flags, *rest], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert "No space left on device: make room there" in done.stderr


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = (
        f"cd '{tmp_path}/gone'; rmdir '{tmp_path}/gone'; exec /usr/bin/python3 '{ROOT}/driver/__main__.py' run --out"
        " here"
    )
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (
        3,
        "crossover: No such file or directory: the present folder is gone: change to another\n",
    )


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", ">&-", "<&- >&- 2>&-"])
def test_the_exit_code_tells_it_where_no_line_can_be_written(redirection: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec '{ROOT}/scripts/crossover' report nowhere {redirection}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == (redirection == ">&-")


def test_a_signal_that_comes_before_the_command_is_loaded_is_answered_in_one_line() -> None:
    def strike() -> None:  # stays pending until somebody wants it
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGTERM)

    done = subprocess.run(
        [str(ROOT / "scripts" / "crossover"), "report", "nowhere"],
        preexec_fn=strike,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (130, "crossover: interrupted\n")


def test_a_run_ends_as_ever_when_nobody_reads_its_progress(benches: Benches) -> None:
    benches.add("odd")
    nobody_reads, output = os.pipe()
    os.close(nobody_reads)
    out = benches.folder.parent / "out"
    done = subprocess.run(
        benches.command("run", "--seed", "1", "--out", str(out)), stdout=output, stderr=output, timeout=60
    )
    os.close(output)
    assert done.returncode == 0
    assert (out / "run.json").is_file() and (out / "index.html").is_file()


def test_a_folder_whose_name_is_no_text_is_as_good_as_any(benches: Benches) -> None:
    benches.add("odd")
    out = os.fsencode(benches.folder.parent) + b"/\xff\xfe"
    done = subprocess.run(
        [*map(os.fsencode, benches.command("run", "--seed", "1", "--out")), out], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert faults(Path(os.fsdecode(out))) == []

"""What stands in the environment, or in the present folder, changes nothing that is measured or told, unless it is
named."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from driver.machine import environment, host
from driver.measure.run import Request
from driver.problem import Exit, Problem
from reports.cases.cases import analyse
from reports.cases.read import parse_run
from reports.comparison.compare import host_differences
from reports.text import trust
from tests.driver.conftest import ROOT, Benches
from tests.reports import synthetic

# the last is the shell's own
KEPT = {
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "TZ",
    "TERM",
    "NO_COLOR",
    "XDG_CACHE_HOME",
    "LC_ALL",
    "CROSSOVER_FILES",
    "PWD",
}


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """Beside what the tests need, whatever may mislead a library or a tool, and a folder to stand in that does."""
    folder = tmp_path / "hostile"
    modules = folder / "lib" / "python3.11" / "site-packages"
    modules.mkdir(parents=True)
    for place in (folder, modules):
        for module in ("numpy", "jinja2", "json", "matplotlib"):
            (place / f"{module}.py").write_text("raise ImportError('a module of another world')")
    (folder / "matplotlibrc").write_bytes(b"figure.figsize: nonsense\n\xff\xfe")
    (folder / "keep").write_text("mine")
    (folder / "ends").write_text("exit 1\n")
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "init", "-q", str(folder / "other")], check=True
    )
    wrong = {
        "PYTHONHOME": "/opt/nothing",
        "PYTHONPATH": str(folder),
        "PYTHONUSERBASE": str(folder),
        "PYTHONSTARTUP": str(folder / "ends"),
        "PYTHONINSPECT": "1",
    }
    wrong |= {
        "PYTHONASYNCIODEBUG": "1",
        "PYTHONDEVMODE": "1",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "PYTHONIOENCODING": "utf-16",
        "PYTHONMALLOC": "debug",
    }
    wrong |= {
        "MPLBACKEND": "widget",
        "MPLCONFIGDIR": "/proc/nothing",
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "XDG_CONFIG_HOME": str(folder),
    }
    wrong |= {
        "GIT_DIR": str(folder / "other" / ".git"),
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": "/nowhere",
        "GIT_CONFIG_GLOBAL": "/nowhere",
        "GIT_TRACE": "1",
    }
    wrong |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.worktree", "GIT_CONFIG_VALUE_0": str(folder)}
    wrong |= {"BENCHMARK_OUT": str(folder / "keep"), "BENCHMARK_FILTER": "(", "BENCHMARK_FORMAT": "poem"}
    wrong |= {
        "LANG": "tr_TR.UTF-8",
        "LC_ALL": "de_DE.ISO-8859-1",
        "LANGUAGE": "de",
        "COLUMNS": "0",
        "LINES": "few",
        "IFS": "/",
        "CDPATH": "/",
        "ENV": str(folder / "ends"),
        "BASH_ENV": str(folder / "ends"),
    }
    wrong |= {
        "CXX": "false",
        "CC": "false",
        "CXXFLAGS": "-nonsense",
        "CMAKE_GENERATOR": "Nonsense",
        "CMAKE_BUILD_PARALLEL_LEVEL": "many",
        "NINJA_STATUS": "%",
        "DESTDIR": "/nowhere",
        "MAKEFLAGS": "-nonsense",
    }
    wrong |= {
        "OPENBLAS_NUM_THREADS": "1000000",
        "NUMEXPR_NUM_THREADS": "many",
        "GOMAXPROCS": "1",
        "NODE_OPTIONS": "--nonsense",
        "DISPLAY": "nowhere",
        "SOURCE_DATE_EPOCH": "soon",
    }
    return {name: value for name, value in os.environ.items() if name in KEPT} | wrong


def measured(seed: int, slower: float = 1) -> dict[str, Any]:
    values = {"event_loop": (1e6, 1e6), "fibers": (2e6, 2e6), "thread_pool": (slower * 4e6, slower * 3e6)}
    document = synthetic.run(
        list(values), [{"id": "fib", "class": "cpu"}], synthetic.measured(values, "fib", {"n": 20}, 12, 0.01, seed)
    )
    document["run"] |= {"seed": seed}
    return document


def crossover(hostile: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The real command, in the folder that misleads."""
    return subprocess.run(
        [str(ROOT / "scripts" / "crossover"), *arguments],
        env=hostile,
        cwd=Path(hostile["PYTHONPATH"]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_a_run_in_a_hostile_environment_is_as_any_other_and_no_child_sees_it(
    benches: Benches, hostile: dict[str, str], tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    for model in ("odd", "even"):
        benches.add(model)
        program = benches.folder / f"bench_{model}"
        program.write_text(program.read_text().replace("\nexec", f"\nenv >>'{seen}'\nexec", 1))
    listed = benches.drive("list", env=hostile)
    assert listed.code == 0, listed.err
    result = benches.run(env=hostile)
    assert (result.code, result.run["settings"]["env"]) == (0, {}), result.err
    assert {line.partition("=")[0] for line in seen.read_text().splitlines()} <= KEPT
    assert "LC_ALL=C.UTF-8" in seen.read_text().splitlines()
    assert result.run["source"]["git_sha"] == host.source()["git_sha"]
    assert (Path(hostile["PYTHONPATH"]) / "keep").read_text() == "mine"


def test_report_check_and_validate_work_in_a_hostile_environment(hostile: dict[str, str], tmp_path: Path) -> None:
    runs = [tmp_path / "before", tmp_path / "after"]
    for number, folder in enumerate(runs):
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(measured(number)))
    for arguments in (
        ["report", str(runs[0])],
        ["check", *map(str, runs)],
        ["compare", *map(str, runs), "--out", str(tmp_path / "both")],
        ["validate", str(runs[0])],
        ["--help"],
    ):
        done = crossover(hostile, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    assert (runs[0] / "index.html").is_file() and (tmp_path / "both" / "compare.html").is_file()


def test_doctor_finds_nothing_fatal_in_a_hostile_environment(hostile: dict[str, str]) -> None:
    done = crossover(hostile, "doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert not [finding for finding in findings.values() if finding["level"] == "fatal"]
    assert findings["environment"]["level"] == "ok"


def test_neither_the_build_nor_git_sees_more_than_what_is_named(
    monkeypatch: pytest.MonkeyPatch, hostile: dict[str, str]
) -> None:
    for name, value in {**hostile, "LD_PRELOAD": "libother.so", "https_proxy": "http://proxy"}.items():
        monkeypatch.setenv(name, value)
    assert environment.of_tools().keys() <= {*KEPT, "https_proxy"}
    assert environment.of_tools()["https_proxy"] == "http://proxy"


def test_what_may_change_a_measurement_reaches_the_benches_and_stands_in_run_json_and_in_the_trust_strip(
    benches: Benches,
) -> None:
    benches.add("odd")
    telling = {"MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
    result = benches.run(env={**os.environ, **telling})
    assert telling.items() <= result.run["settings"]["env"].items()
    fact = next(fact for fact in trust.facts(analyse(parse_run(result.run, "x"))) if fact.name == "Environment")
    assert fact.warns and "MALLOC_ARENA_MAX=1, OMP_NUM_THREADS=1" in fact.value
    with pytest.raises(
        Problem,
        match="started with MALLOC_ARENA_MAX=1 in the environment, now there is no MALLOC_ARENA_MAX: restore it",
    ) as caught:
        Request.resumed(result.folder, None, [])
    assert caught.value.code == Exit.USAGE


def test_runs_with_other_variables_are_not_compared_unless_that_is_allowed() -> None:
    quiet, odd = synthetic.run([], [], []), synthetic.run([], [], [])
    quiet["settings"]["env"], odd["settings"]["env"] = {}, {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    before, after, unknown = parse_run(quiet, "x"), parse_run(odd, "x"), parse_run(synthetic.run([], [], []), "x")
    assert host_differences(before, after) == ["GLIBC_TUNABLES unset and glibc.malloc.tcache_count=0"]
    assert host_differences(before, before) == host_differences(unknown, after) == []
    assert not [fact for fact in trust.facts(analyse(before)) if fact.name == "Environment"]

"""The system refuses descriptors, memory, room, a port or a folder: the limit is named, nothing that was measured is
lost."""

import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.driver.conftest import ROOT, Result
from tests.driver.other_user import let_others_enter
from tests.faults.conftest import Drill, built, failed, outcomes, until

GIB = 1 << 30


def limited_to(which: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (value, value))


def test_64_descriptors_are_too_few_for_256_connections_and_the_limit_is_named(drill: Drill) -> None:
    drill.use("event_loop")
    drill.serve_http()
    child = drill.begin(
        "--workloads", "fetch,sum_squares", "--models", "event_loop", preexec_fn=limited_to(resource.RLIMIT_NOFILE, 64)
    )
    result = drill.end(child)
    assert result.code == 0, result.err
    assert "unsupported" in outcomes(result, "event_loop", "fetch") and "ok" in outcomes(result, "event_loop")
    reasons = {
        cell["reason"]
        for cell in result.cells.values()
        if cell["workload"] == "fetch" and cell["status"] == "unsupported"
    }
    assert reasons and all("(ulimit -n) is 64" in reason for reason in reasons), reasons


def test_without_address_space_for_its_stacks_tbb_resumable_is_unsupported_and_the_others_run(drill: Drill) -> None:
    drill.use("tbb_resumable", "serial")
    arena, stacks = 16 * GIB, 8 * GIB
    child = drill.begin(
        "--workloads",
        "sum_squares",
        "--models",
        "tbb_resumable,serial",
        preexec_fn=limited_to(resource.RLIMIT_AS, arena + stacks // 2),
    )
    result = drill.end(child)
    assert result.code == 0, result.err
    (model,) = (model for model in result.run["models"] if model["id"] == "tbb_resumable")
    assert model["status"] == "unsupported"
    assert "ulimit -v" in model["reason"]
    assert outcomes(result, "serial") == {"ok"}


def test_items_that_wait_for_one_whose_stack_was_refused_are_stopped() -> None:
    request = {
        "do": "sample",
        "workload": "idle_tasks",
        "params": {"tasks": 10_000, "hold_us": 100_000},
        "iterations": 1,
    }
    few = limited_to(resource.RLIMIT_AS, 16 * GIB + GIB // 2)
    done = subprocess.run(
        [built("bench_fibers"), "--serve"],
        input=json.dumps(request) + "\n",
        preexec_fn=few,
        capture_output=True,
        text=True,
        timeout=30,
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["outcome"] == "unsupported" and "ulimit -v" in answer["reason"], answer


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", place], capture_output=True, text=True)
        if os.geteuid() == 0
        else None
    )
    if mounted is None or mounted.returncode:
        pytest.skip(f"a small file system needs root: {mounted.stderr.strip() if mounted else 'not root'}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_that_fills_up_ends_the_run_and_keeps_its_samples_for_resuming(drill: Drill, small_disk: Path) -> None:
    drill.out = small_disk / "out"
    drill.use("serial")
    child = drill.begin("--models", "serial")
    drill.wait_for_samples(3)
    with open(small_disk / "filler", "wb") as filler, pytest.raises(OSError, match="No space"):
        while True:
            os.write(filler.fileno(), bytes(1 << 16))
    result = drill.end(child)
    assert result.code == 3
    assert "No space left on device" in result.err and "--resume" in result.err.splitlines()[-1]
    before = drill.samples()
    assert len(before) >= 3
    (small_disk / "filler").unlink()
    again = drill.command("run", "--resume", str(drill.out))
    drill.wait_for_samples(len(before) + 1)
    drill.stop(again)
    assert drill.samples()[: len(before)] == before


def test_a_results_folder_that_is_read_only_is_refused_before_anything_is_measured(drill: Drill) -> None:
    let_others_enter()
    drill.use("serial")
    nobody = 65534
    with tempfile.TemporaryDirectory() as holder:  # not under tmp_path: that is closed to others
        os.chmod(holder, 0o755)
        shutil.copytree(drill.benches.folder, Path(holder, "benches"), symlinks=True)
        drill.benches.folder = Path(holder, "benches")
        drill.out = Path(holder, "results", "out")
        drill.out.parent.mkdir(mode=0o555)
        result = drill.end(drill.begin("--models", "serial", **({"user": nobody} if os.geteuid() == 0 else {})))
        assert result.code == 3
        assert (
            result.err
            == f"crossover: cannot write results into {drill.out.parent}: this user may not: choose another folder with"
            " --out\n"
        )
        assert not drill.out.exists()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [built("origin/origin"), "--port", str(port)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and str(port) in done.stderr and "taken" in done.stderr


def test_a_library_that_is_missing_leaves_its_models_out_and_says_so(tmp_path: Path) -> None:
    configure = [
        "cmake",
        "-S",
        str(ROOT),
        "-B",
        str(tmp_path),
        "-G",
        "Ninja",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_DISABLE_FIND_PACKAGE_TBB=ON",
    ]
    done = subprocess.run(configure, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Runtime tbb_tasks is left out: TBB::tbb was not found. scripts/setup installs it." in done.stdout
    targets = subprocess.run(
        ["ninja", "-C", str(tmp_path), "-t", "targets", "all"], capture_output=True, text=True, check=True
    ).stdout
    assert "bench_serial:" in targets and "bench_event_loop:" in targets
    assert "bench_tbb" not in targets


def test_without_a_network_what_needs_one_is_unsupported_and_the_rest_is_measured(drill: Drill) -> None:
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("a network namespace, in which loopback is down, needs root")
    drill.use("event_loop", "py_asyncio")
    drill.use("serial")  # which the CPython models ask for their cells
    drill.serve_http()
    (drill.benches.folder / "load").symlink_to(built("load/load"))
    drill.behind = ["unshare", "-n"]
    cells = "fetch/*/requests:320/*/bytes:64,echo/*/requests:50/*,sleepers/*/tasks:100/delay_us:10000/*"
    result = drill.end(drill.begin("--models", "event_loop,py_asyncio", "--cells", cells, "--time-budget", "10s"))
    assert result.code == 0, result.err
    assert outcomes(result, "event_loop", "sleepers") == {"ok"}
    needing = [cell for cell in result.cells.values() if cell["workload"] in ("fetch", "echo")]
    assert {cell["status"] for cell in needing} == {"unsupported"}, needing
    assert all("unreachable" in cell["reason"] for cell in needing), [cell["reason"] for cell in needing]


def beneath(root: Path, file: str, value: str) -> Iterator[Path]:
    """A group that limits nothing itself, below one that does."""
    if not os.access(root, os.W_OK) or not (root / "cgroup.procs").exists():
        pytest.skip(f"no groups can be made in {root} here")
    around = Path(tempfile.mkdtemp(prefix="crossover-", dir=root))
    own = around / "own"
    try:
        own.mkdir()
        if not (around / file).exists():
            pytest.skip(f"{root} has no {file}")
        (around / file).write_text(value)
        yield own
    finally:
        until(
            "the end of all that was in the group",
            lambda: not own.exists() or not (own / "cgroup.procs").read_text(),
            20,
        )
        for folder in (own, around):
            if folder.exists():
                folder.rmdir()


@pytest.fixture(params=["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"])
def one_core(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Of version 1, and of version 2."""
    first = request.param.endswith("cpu")
    yield from beneath(
        Path(request.param), "cpu.cfs_quota_us" if first else "cpu.max", "100000" if first else "100000 100000"
    )


@pytest.fixture(params=["/sys/fs/cgroup/memory", "/sys/fs/cgroup"])
def small_memory(request: pytest.FixtureRequest) -> Iterator[Path]:
    first = request.param.endswith("memory")
    yield from beneath(Path(request.param), "memory.limit_in_bytes" if first else "memory.max", str(SMALL_MEMORY))


SMALL_MEMORY = 192 << 20


def joins(group: Path) -> Callable[[], None]:
    return lambda: (group / "cgroup.procs").write_text(str(os.getpid())) and None


def check_one_core(result: Result, drill: Drill) -> None:
    assert result.code == 0, result.err
    assert result.run["run"]["cores"] == 1
    assert result.run["settings"]["cgroup"]["cpu_max"] == "100000 100000"
    hellos = [json.loads(event)["hello"] for event in drill.events("model")]
    assert {hello["cores"] for hello in hellos if hello} == {1}


def test_a_cpu_quota_of_a_group_around_counts_for_the_run_and_for_every_bench(drill: Drill, one_core: Path) -> None:
    drill.use("event_loop", "serial")
    arguments = ("--models", "event_loop,serial", "--cells", "fib/*/n:20", "--time-budget", "5s")
    check_one_core(drill.end(drill.begin(*arguments, preexec_fn=joins(one_core))), drill)


@pytest.mark.parametrize(
    "files",
    [{"cpu.max": "100000 100000"}, {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}],
    ids=["version 2", "version 1"],
)
def test_a_cpu_quota_in_files_that_are_laid_there_counts_as_well(drill: Drill, files: dict[str, str]) -> None:
    """As in a container that has its own group mounted at the usual place."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("a mount of its own needs root")
    lines = [
        f"mkdir -p /sys/fs/cgroup/{Path(name).parent} && echo {text} > /sys/fs/cgroup/{name}"
        for name, text in files.items()
    ]
    drill.behind = [
        "unshare",
        "-m",
        "sh",
        "-c",
        " && ".join(["mount -t tmpfs none /sys/fs/cgroup", *lines, 'exec "$@"']),
        "sh",
    ]
    drill.use("event_loop", "serial")
    check_one_core(
        drill.end(drill.begin("--models", "event_loop,serial", "--cells", "fib/*/n:20", "--time-budget", "5s")), drill
    )


def test_a_memory_limit_of_a_group_around_kills_nothing_and_is_named(drill: Drill, small_memory: Path) -> None:
    drill.use("event_loop", "thread_per_task", "serial")
    arguments = (
        "--models",
        "event_loop,thread_per_task",
        "--cells",
        "idle_tasks/*/tasks:10000/*,idle_tasks/*/tasks:1000000/*,sleepers/*/tasks:100/*",
        "--time-budget",
        "12s",
    )
    result = drill.end(drill.begin(*arguments, preexec_fn=joins(small_memory)))
    assert result.code == 0, result.err
    large = [cell for cell in result.cells.values() if cell["params"].get("tasks") == 1_000_000]
    assert large and all(
        cell["status"] == "unsupported" and str(SMALL_MEMORY) in cell["reason"] for cell in large
    ), large
    assert not failed(result)

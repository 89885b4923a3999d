"""`crossover new`: what it writes is built, keeps the contract, is measured and reported, as it stands; bad names write nothing."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, WORKLOAD = "odd_jobs", "bit_count"

# The command of the copy over what was built there, without building the rest.
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from driver.command import main
sys.exit(main(sys.argv[2:], Path(sys.argv[1])))
"""


def copy_of_the_tree(folder: Path) -> Path:
    files = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=True).stdout
    for name in map(bytes.decode, files.split(b"\0")):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
            (folder / name).chmod((ROOT / name).stat().st_mode)
    return folder


def new(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(tree / "scripts" / "crossover"), "new", *arguments], capture_output=True, text=True)


def run(tree: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("tree"))


BAD_NAMES = [
    ("runtime", "serial", "serial is taken: runtimes/serial.hpp has it"),
    ("workload", "fib", "fib is taken: workloads/fib.hpp has it"),
    ("runtime", "fib", "fib is taken: workloads/fib.hpp has it"),
    ("workload", "responsiveness_offloaded", "responsiveness_offloaded is taken"),
    ("workload", "policy", "policy is taken: runtimes/policy.hpp has it"),
    ("runtime", "options", "options is taken"),
    ("runtime", "pool", "pool is taken: runtimes/pool has it"),
    ("runtime", "double", "double is a word that C++ keeps for itself"),
    ("runtime", "MyModel", "'MyModel' is no name for a C++ class of this project"),
    ("workload", "2fast", "'2fast' is no name"),
    ("workload", "a-b", "'a-b' is no name"),
    ("workload", "a__b", "'a__b' is no name"),
    ("workload", "../escape", "'../escape' is no name"),
    ("workload", "", "'' is no name"),
    ("model", "fine", "there is no kind model"),
]


def state_of(tree: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in ("runtimes", "workloads") for path in (tree / folder).rglob("*") if path.is_file()}


def test_a_name_that_is_taken_or_no_identifier_is_refused_with_2_and_writes_nothing(tree: Path) -> None:
    before = state_of(tree)
    for kind, name, line in BAD_NAMES:
        done = new(tree, kind, name)
        assert done.returncode == 2, (name, done)
        assert line in done.stderr and done.stderr.startswith("crossover: ") and done.stderr.count("\n") == 1, done.stderr
    assert state_of(tree) == before


@pytest.mark.slow  # a minute of compiling
def test_a_new_runtime_and_a_new_workload_work_as_they_are_written(tree: Path) -> None:
    for kind, name in (("runtime", RUNTIME), ("workload", WORKLOAD)):
        done = new(tree, kind, name)
        assert done.returncode == 0, done.stderr
        assert all(f"  {step}. " in done.stdout for step in (1, 2, 3)) and name in done.stdout
        assert new(tree, kind, name).returncode == 2
    # Only what the two cells need, and unoptimised: what is judged here is that it works.
    run(tree, "cmake", "--preset", "dev", "-DCMAKE_CXX_FLAGS_DEBUG=-O0")
    run(tree, "cmake", "--build", "--preset", "dev", "--target", f"bench_{RUNTIME}", f"contract_{RUNTIME}")
    benches = tree / "build" / "dev" / "bench"
    contract = run(tree, str(benches / f"contract_{RUNTIME}"))
    assert "[  PASSED  ]" in contract and "[  FAILED  ]" not in contract
    out = tree / "out"
    names = ["--models", RUNTIME, "--workloads", f"{WORKLOAD},sum_squares"]
    run(tree, "/usr/bin/python3", "-c", RUN, str(benches), "run", "--quick", *names, "--time-budget", "20s", "--out", str(out))
    cells = json.loads((out / "run.json").read_text())["cells"]
    assert {(cell["model"], cell["workload"], cell["status"]) for cell in cells} == {(RUNTIME, WORKLOAD, "ok"), (RUNTIME, "sum_squares", "ok")}
    for page in ("index.html", "report.md"):
        text = (out / page).read_text()
        assert RUNTIME in text and WORKLOAD in text, page

"""The steps of the guides are all there is to do: what they write is built, keeps the contract, is measured and
reported. Bad names write nothing."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.reports import synthetic

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, THREADED, WORKLOAD = "odd_jobs", "odd_threads", "bit_count"

# The command of the copy over what was built there, without building the rest.
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from driver.commands.main import main
sys.exit(main(sys.argv[2:], Path(sys.argv[1])))
"""


def copy_of_the_tree(folder: Path) -> Path:
    files = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=True
    ).stdout
    for name in map(bytes.decode, files.split(b"\0")):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
            (folder / name).chmod((ROOT / name).stat().st_mode)
    return folder


def new(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(tree / "scripts" / "crossover"), "new", *arguments], capture_output=True, text=True)


def run(tree: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = copy_of_the_tree(tmp_path_factory.mktemp("tree"))
    for command in (("init", "-q"), ("add", "-A")):
        run(tree, "git", *command)
    return tree


BAD_NAMES = [
    ("runtime", "serial", "serial is taken: runtimes/serial.hpp has it"),
    ("workload", "fib", "fib is taken: workloads/cpu/fib.hpp has it"),
    ("runtime", "fib", "fib is taken: workloads/cpu/fib.hpp has it"),
    ("workload", "responsiveness_offloaded", "responsiveness_offloaded is taken"),
    ("workload", "policy", "policy is taken: runtimes/contract/policy.hpp has it"),
    ("runtime", "options", "options is taken"),
    ("runtime", "processes", "processes is taken: runtimes/processes has it"),
    ("runtime", "double", "double is a reserved word in C++"),
    ("runtime", "MyModel", "'MyModel' is not a valid class name in this project"),
    ("workload", "2fast", "'2fast' is not a valid class name"),
    ("workload", "a-b", "'a-b' is not a valid class name"),
    ("workload", "a__b", "'a__b' is not a valid class name"),
    ("workload", "../escape", "'../escape' is not a valid class name"),
    ("workload", "", "'' is not a valid class name"),
    ("model", "fine", "there is no kind model"),
]

DESCRIBED = "".join(
    f"""
[{name}]
as = "serial"
scheduling = ["one odd job after the other", "runtimes/{RUNTIME}.hpp"]
"""
    for name in (RUNTIME, THREADED)
)

FIGURE = '''"""How many cases the run has: a figure of one line."""

from reports.cases.cases import Analysis
from reports.cases.table import Table
from reports.drawing.sheet import Picture, Sheet

MISSING = "This run has no case."


def case_count(analysis: Analysis) -> Picture | None:
    """None without a case."""
    if not analysis.cases:
        return None
    sheet = Sheet(5.0, 0.5)
    sheet.text(0.1, 0.25, f"{len(analysis.cases)} cases")
    table = Table(("cases",), ((str(len(analysis.cases)),),))
    return sheet.picture("case-count", "Cases", "How many cases the run has.", table)
'''
SECTION = '    ("count", "How many cases", case_count.case_count, case_count.MISSING),\n'


def state_of(tree: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for folder in ("runtimes", "workloads")
        for path in (tree / folder).rglob("*")
        if path.is_file()
    }


def test_a_name_that_is_taken_or_no_identifier_is_refused_with_2_and_writes_nothing(tree: Path) -> None:
    before = state_of(tree)
    done = new(tree, "workload", WORKLOAD, "--threads")
    assert done.returncode == 2 and "--threads is for a runtime" in done.stderr
    for kind, name, line in BAD_NAMES:
        done = new(tree, kind, name)
        assert done.returncode == 2, (name, done)
        assert (
            line in done.stderr and done.stderr.startswith("crossover: ") and done.stderr.count("\n") == 1
        ), done.stderr
    assert state_of(tree) == before


def commands(guide: Path) -> list[str]:
    """Those of the guide's steps, in their order, for a build that is not optimised: what is judged here is that it
    works."""
    steps = re.search(r"^## Steps\n(.*?)^## ", guide.read_text(), re.MULTILINE | re.DOTALL)
    assert steps, guide
    found = re.findall(r"^ {7}(\S.*?)(?: +#.*)?$|`(scripts/crossover new [^`]*)`", steps[1], re.MULTILINE)
    names = {"my_model": RUNTIME, "my_work": WORKLOAD, "workloads_serial": f"workloads_{RUNTIME}", "release": "dev"}
    return [
        re.sub(r"my_model|my_work|workloads_serial|release", lambda name: names[name[0]], first or second)
        for first, second in found
    ]


def row_of(model: str, table: str) -> str:
    row = re.search(rf"^\| {model} \|.*\n", table, re.MULTILINE)
    assert row, table
    return row[0]


@pytest.mark.slow  # minutes of compiling
def test_a_runtime_and_a_workload_need_only_the_steps_of_their_guides(tree: Path) -> None:
    plain, threaded, contract = commands(tree / "runtimes" / "README.md")
    new_workload, workload_test = commands(tree / "workloads" / "README.md")
    threaded = threaded.replace(RUNTIME, THREADED)
    for command in (plain, threaded, new_workload):
        printed = run(tree, "sh", "-c", command)
        assert all(f"  {step}. " in printed for step in (1, 2, 3)), printed
        assert new(tree, *command.split()[2:]).returncode == 2
    run(tree, "cmake", "--preset", "dev", "-DCMAKE_CXX_FLAGS_DEBUG=-O0")
    for command in (contract, contract.replace(RUNTIME, THREADED), workload_test):
        printed = run(tree, "sh", "-c", command)
        assert "[  PASSED  ]" in printed and "[  FAILED  ]" not in printed
    run(tree, "cmake", "--build", "--preset", "dev", "--target", f"bench_{RUNTIME}")
    benches = tree / "build" / "dev" / "bench"
    out = tree / "out"
    names = ["--models", RUNTIME, "--workloads", f"{WORKLOAD},sum_squares"]
    run(
        tree,
        "/usr/bin/python3",
        "-c",
        RUN,
        str(benches),
        "run",
        "--quick",
        *names,
        "--time-budget",
        "20s",
        "--out",
        str(out),
    )
    cells = json.loads((out / "run.json").read_text())["cells"]
    assert {(cell["model"], cell["workload"], cell["status"]) for cell in cells} == {
        (RUNTIME, WORKLOAD, "ok"),
        (RUNTIME, "sum_squares", "ok"),
    }
    for page in ("index.html", "report.md"):
        text = (out / page).read_text()
        assert RUNTIME in text and WORKLOAD in text, page
    describe(tree, benches)
    run(tree, "/usr/bin/python3", "-m", "pytest", "-q", "tests/docs")


def describe(tree: Path, benches: Path) -> None:
    """The last step of the guide of runtimes, with the rows of what is built here only."""
    with open(tree / "docs" / "fairness.toml", "a") as sentences:
        sentences.write(DESCRIBED)
    printed = run(tree, "/usr/bin/python3", "-c", RUN, str(benches), "list", "--fairness")
    row = row_of(RUNTIME, printed)
    assert "one odd job after the other" in row
    page = tree / "docs" / "FAIRNESS.md"
    text = page.read_text()
    first = row_of("serial", text)
    page.write_text(text.replace(first, first + row + row.replace(RUNTIME, THREADED, 1)))


@pytest.mark.slow  # two reports are drawn
def test_a_figure_needs_only_the_steps_of_its_guide(tree: Path) -> None:
    guide = (tree / "reports" / "README.md").read_text()
    assert "one file in `reports/figures/`" in guide and "Import it in `reports/pages/sections.py`" in guide
    (tree / "reports" / "figures" / "case_count.py").write_text(FIGURE)
    sections = tree / "reports" / "pages" / "sections.py"
    before = sections.read_text()
    last = re.search(r"^_FIGURES.*?(?=^\))", before, re.MULTILINE | re.DOTALL)
    assert last, sections
    listed = f"{before[: last.end()]}{SECTION}{before[last.end() :]}"
    sections.write_text(listed.replace("    cost_plane,\n", "    case_count,\n    cost_plane,\n", 1))
    folder = tree / "a_run"
    folder.mkdir()
    cells = synthetic.measured({"fibers": (1e6, 1e6), "thread_pool": (2e6, 2e6)}, "fib", {"n": 20}, 8, 0.01, 1)
    (folder / "run.json").write_text(
        json.dumps(synthetic.run(["fibers", "thread_pool"], [{"id": "fib", "class": "cpu"}], cells))
    )
    run(tree, "/usr/bin/python3", "-m", "reports", str(folder))
    assert "How many cases" in (folder / "index.html").read_text()
    assert (folder / "figures" / "case-count.svg").is_file()
    sections.write_text(before)
    run(tree, "/usr/bin/python3", "-m", "reports", str(folder))
    assert not list((folder / "figures").glob("case-count.*")), "a figure of an older report is left"

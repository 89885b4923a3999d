"""Folders lie in layers: each uses only folders below it, and only those that are listed here for it."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# From the ground up. A folder is named by its first two parts; what lies under it belongs to it. Its tests may include
# anything.
_CPP = {
    "runtimes/system": "",
    "runtimes/contract": "runtimes/system",
    "runtimes/blocking": "runtimes/system runtimes/contract",
    "runtimes/reactor": "runtimes/system",
    "runtimes/suspending": "runtimes/system runtimes/contract runtimes/blocking runtimes/reactor",
    "runtimes/scheduler": "runtimes/system runtimes/contract runtimes/blocking",
    "runtimes/event_loop": "runtimes/system runtimes/reactor",
    "runtimes/event_loop_models": "runtimes/system runtimes/contract runtimes/suspending runtimes/event_loop",
    "runtimes/threads": "runtimes/system runtimes/contract runtimes/blocking runtimes/scheduler",
    "runtimes/processes": "runtimes/system runtimes/contract runtimes/blocking runtimes/scheduler",
    "runtimes/fibers": "runtimes/system runtimes/contract runtimes/blocking runtimes/reactor runtimes/suspending",
    "runtimes/tbb": "runtimes/system runtimes/contract runtimes/blocking runtimes/reactor runtimes/suspending",
    "runtimes/peers": "runtimes/system runtimes/contract",
    "runtimes": "runtimes/*",
    "workloads/servers": "runtimes/system runtimes/contract",
    "workloads/contract": "runtimes/contract workloads/servers",
    "workloads/support": "runtimes/system workloads/contract",
    "workloads/io": "runtimes/system runtimes/contract workloads/servers workloads/contract workloads/support",
    "workloads/cpu": "workloads/contract workloads/support",
    "workloads/coordination": "workloads/contract workloads/support",
    "workloads/mixed": "runtimes/contract workloads/servers workloads/contract workloads/support",
    "workloads/lessons": "runtimes/contract workloads/contract workloads/support",
    "workloads/memory": "workloads/contract workloads/support",
    "workloads": "workloads/*",
    "bench/cell": "runtimes runtimes/* workloads workloads/*",
    "bench/meters": "runtimes/* workloads workloads/* bench/cell",
    "bench/serve": "runtimes/* workloads/* bench/cell bench/meters",
    "bench/google": "runtimes/* workloads/* bench/cell bench/meters bench/serve",
    "bench": "runtimes/* bench/cell bench/meters bench/serve bench/google",
    "bench/native": "runtimes/* workloads/* bench bench/cell bench/meters",
    "bench/loop_bench": "runtimes/* bench/google",
}


def _folder(path: str) -> str:
    parts = path.split("/")[:-1]
    return "/".join(parts[:2])


def _includes() -> Iterator[tuple[str, str]]:
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "*.cpp", "*.hpp"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in names:
        if (
            name.split("/")[0] in ("runtimes", "workloads", "bench")
            and "/tests/" not in name
            and not name.endswith("_test.cpp")
            and (ROOT / name).is_file()
        ):
            for included in re.findall(r'^#include "([^"]+)"', (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE):
                yield name, included


def _allowed(folder: str, other: str, layers: dict[str, str]) -> bool:
    listed = layers[folder].split()
    return (
        other == folder
        or other in listed
        or any(group.endswith("/*") and other.startswith(group[:-1]) for group in listed)
    )


def test_a_file_includes_only_what_its_folder_may_use() -> None:
    wrong = [
        f"{name} includes {included}"
        for name, included in _includes()
        if not _allowed(_folder(name), _folder(included), _CPP)
    ]
    assert (
        not wrong
    ), "move it to a lower folder, or say in tests/style/test_layers.py why the arrow is right:\n" + "\n".join(wrong)


def test_every_listed_folder_uses_only_folders_that_are_listed_before_it() -> None:
    order = list(_CPP)
    for place, folder in enumerate(order):
        assert (ROOT / folder).is_dir(), f"{folder} is gone"
        upward = [other for other in order[place + 1 :] if _allowed(folder, other, _CPP)]
        assert not upward, f"{folder} may use {upward}, which lie above it"


# Of Python: what each package imports, also inside functions.
_BELOW_DRIVER, _BELOW_REPORTS = {"vocabulary", "driver"}, {"vocabulary", "verdicts"}
_PYTHON: dict[str, set[str]] = {
    "vocabulary": set(),
    "verdicts": {"vocabulary"},
    "driver": set(),  # the files beside its folders
    "driver.machine": {"driver"},
    "driver.session": _BELOW_DRIVER | {"driver.machine"},
    "driver.prepare": _BELOW_DRIVER | {"verdicts", "driver.machine", "driver.session"},
    "driver.measure": _BELOW_DRIVER | {"verdicts", "driver.machine", "driver.session", "driver.prepare"},
    "reports.cases": _BELOW_REPORTS,
    "reports.analysis": _BELOW_REPORTS | {"reports.cases"},
    "reports.comparison": _BELOW_REPORTS | {"reports.cases", "reports.analysis"},
    "reports.text": _BELOW_REPORTS | {"reports.cases", "reports.analysis", "reports.comparison"},
    "reports.drawing": _BELOW_REPORTS | {"reports.cases", "reports.analysis"},
    "reports.figures": _BELOW_REPORTS
    | {"reports.cases", "reports.analysis", "reports.comparison", "reports.text", "reports.drawing"},
    "reports.pages": _BELOW_REPORTS
    | {"reports.cases", "reports.analysis", "reports.comparison", "reports.text", "reports.drawing", "reports.figures"},
    "reports": {"reports.cases", "reports.pages"},
    "reports.examples": {"reports.cases"},
}
# Of the driver only these reach into the reports: a trial that a figure can be drawn, and the verbs.
_PYTHON["driver.doctor"] = _BELOW_DRIVER | {
    "verdicts",
    "driver.machine",
    "driver.session",
    "driver.prepare",
    "reports.pages",
}
_PYTHON["driver.commands"] = set(_PYTHON) - {"reports.drawing", "reports.figures", "reports.examples"}


def _imports(file: Path) -> Iterator[str]:
    """The packages of ours that it imports, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = (
            [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for place in (ROOT.joinpath(*name.split(".")) for name in names):
            package = next((folder for folder in (place, *place.parents) if folder.is_dir()), ROOT)
            if package != ROOT:
                yield ".".join(package.relative_to(ROOT).parts)


def test_python_imports_only_what_lies_below() -> None:
    wrong = []
    for file in (
        file
        for top in ("vocabulary", "verdicts", "driver", "reports")
        for file in sorted((ROOT / top).rglob("*.py"))
        if file.name != "__main__.py"
    ):
        package = ".".join(file.parent.relative_to(ROOT).parts)
        wrong += [
            f"{file.relative_to(ROOT)} imports {other}"
            for other in _imports(file)
            if other not in _PYTHON.get(package, set()) | {package}
        ]
    assert not wrong, "\n".join(wrong)


def test_the_packages_of_python_have_no_circle() -> None:
    assert len(list(TopologicalSorter(_PYTHON).static_order())) == len(_PYTHON)


def test_a_folder_holds_about_twenty_files() -> None:
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    counts = Counter(str(Path(name).parent) for name in names if (ROOT / name).is_file())
    assert {
        folder: count for folder, count in counts.items() if count > 24
    } == {}, "divide it into folders whose names say what their files share"

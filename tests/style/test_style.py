"""C++ is laid out as .clang-format says; Python's types hold, and what is public there says what it does. A check is skipped where its tool is not installed."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORMATTER = "clang-format-14"  # Debian 12's; another version lays some lines out in another way


def test_c_and_cpp_are_formatted() -> None:
    if shutil.which(FORMATTER) is None:
        pytest.skip(f"{FORMATTER} is not installed")
    files = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "*.c", "*.cpp", "*.hpp"], capture_output=True, check=True).stdout.decode().split("\0")
    present = [name for name in files if name and (ROOT / name).is_file()]
    done = subprocess.run([FORMATTER, "--dry-run", "--Werror", *present], cwd=ROOT, capture_output=True, text=True)
    wrong = sorted({line.partition(":")[0] for line in done.stderr.splitlines() if "error: code should be clang-formatted" in line})
    assert not wrong, f"{FORMATTER} -i {' '.join(wrong)}"
    assert done.returncode == 0, done.stderr


@pytest.mark.time_limit(600)  # mypy computes for half a minute, and longer beside others
def test_the_types_of_python_functions_hold() -> None:
    mypy = "/usr/bin/mypy"  # not another python's: it would not find the modules
    if not Path(mypy).exists():
        pytest.skip(f"{mypy} is not installed")
    done = subprocess.run([mypy, "--scripts-are-modules", "driver", "reports", "vocabulary", "verdicts", "bench/peers/cpython", "scripts/rerun", "scripts/fast"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def _undocumented(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                yield f"{node.lineno} {node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _undocumented(node.body)


def test_public_functions_and_classes_of_python_say_what_they_do() -> None:
    files = [*(file for top in ("driver", "reports", "verdicts", "vocabulary") for file in sorted((ROOT / top).rglob("*.py"))), ROOT / "scripts" / "fast", ROOT / "scripts" / "rerun"]
    wrong = [f"{file.relative_to(ROOT)}:{place}" for file in files for place in _undocumented(ast.parse(file.read_text(encoding="utf-8")).body)]
    assert not wrong, "a line that says what it does, in which units, and what it raises:\n" + "\n".join(wrong)

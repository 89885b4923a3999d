"""C++ is laid out as .clang-format says, Python as black does; flake8 finds nothing, Python's types hold, and what is
public there says what it does. A check is skipped where its tool is not installed."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Debian 12's: other versions lay some lines out in another way
FORMATTER = "clang-format-14"
BLACK = "black, 23."


def _files(*patterns: str) -> list[str]:
    """Those of the repository that match, and are there."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", *patterns]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def _python() -> list[str]:
    return _files("*.py", "scripts/fast", "scripts/rerun")


def _said(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What Debian's tool says of the repository."""
    if not Path("/usr/bin", tool).exists():  # another python's would not find the modules
        pytest.skip(f"/usr/bin/{tool} is not installed")
    return subprocess.run([f"/usr/bin/{tool}", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_c_and_cpp_are_formatted() -> None:
    done = _said(FORMATTER, "--dry-run", "--Werror", *_files("*.c", "*.cpp", "*.hpp"))
    wrong = sorted(
        {line.partition(":")[0] for line in done.stderr.splitlines() if "error: code should be clang-formatted" in line}
    )
    assert not wrong, f"{FORMATTER} -i {' '.join(wrong)}"
    assert done.returncode == 0, done.stderr


@pytest.mark.time_limit(600)  # it computes for half a minute, and longer beside others
def test_python_is_formatted() -> None:
    if not (version := _said("black", "--version").stdout).startswith(BLACK):
        pytest.skip(f"this is {version.splitlines()[0]}")
    done = _said("black", "--check", "--quiet", *_python())
    assert done.returncode == 0, f"black {' '.join(_python())}" + done.stderr


def test_the_linter_of_python_finds_nothing() -> None:
    done = _said("flake8", *_python())
    assert done.returncode == 0, done.stdout


@pytest.mark.time_limit(600)  # mypy computes for half a minute, and longer beside others
def test_the_types_of_python_functions_hold() -> None:
    packages = ("driver", "reports", "vocabulary", "verdicts", "bench/peers/cpython")
    done = _said("mypy", "--scripts-are-modules", *packages, "scripts/rerun", "scripts/fast")
    assert done.returncode == 0, done.stdout


def _undocumented(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                yield f"{node.lineno} {node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _undocumented(node.body)


def test_public_functions_and_classes_of_python_say_what_they_do() -> None:
    files = [
        *(
            file
            for top in ("driver", "reports", "verdicts", "vocabulary")
            for file in sorted((ROOT / top).rglob("*.py"))
        ),
        ROOT / "scripts" / "fast",
        ROOT / "scripts" / "rerun",
    ]
    wrong = [
        f"{file.relative_to(ROOT)}:{place}"
        for file in files
        for place in _undocumented(ast.parse(file.read_text(encoding="utf-8")).body)
    ]
    assert not wrong, "a line that says what it does, in which units, and what it raises:\n" + "\n".join(wrong)

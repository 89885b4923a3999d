"""C++ is laid out as .clang-format says, and Python's types hold. Each check is skipped where its tool is not installed."""

import shutil
import subprocess
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


def test_the_types_of_python_functions_hold() -> None:
    mypy = "/usr/bin/mypy"  # not another python's: it would not find the modules
    if not Path(mypy).exists():
        pytest.skip(f"{mypy} is not installed")
    done = subprocess.run([mypy, "driver", "reports", "scripts/reference", "scripts/rerun"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

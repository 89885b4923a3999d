"""Whatever belongs to one processor lies in one header, so that the tree compiles and holds on any."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = "runtimes/system/processor.hpp"
OF_ONE_PROCESSOR = re.compile(
    r"__x86_64__|__i386__|__amd64__|__aarch64__|__arm__|__powerpc|__riscv|__builtin_(ia32|arm|aarch64|ppc)"
    r"|\b_mm_|\w*intrin\.h|\brdtsc|\bREG_[RE]IP\b|-m(arch|tune|cpu)="
    r"|alignas\(64\)|\bpage\w* = 4096|\* 4096\b"  # the sizes of a cache line and of a page
)


def test_only_one_header_knows_processors_cache_lines_and_pages() -> None:
    names = (
        subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "*.c", "*.cpp", "*.hpp", "*CMakeLists.txt"],
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .split("\0")
    )
    found = []
    for name in names:
        if name and name != HEADER and (ROOT / name).is_file():
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
            found += [
                f"{name}:{number}: {line.strip()}"
                for number, line in enumerate(lines, 1)
                if OF_ONE_PROCESSOR.search(line)
            ]
    assert not found, f"move it to {HEADER}:\n" + "\n".join(found)

"""The memory allocator of the bench processes: the C library's, or one that is preloaded. Origin, load generator and
driver keep the C library's."""

from __future__ import annotations

import os
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

from driver.problem import Problem

GLIBC = "glibc"
ALLOCATORS = (GLIBC, "jemalloc", "mimalloc")


@dataclass(frozen=True)
class Allocator:
    """The library that a bench takes its memory from."""

    name: str
    library: str = ""  # as the loader finds it; empty: nothing is put before the C library

    @classmethod
    def named(cls, name: str) -> Allocator:
        """Raises ValueError where there is none of that name."""
        if name not in ALLOCATORS:
            raise ValueError(name)
        if name == GLIBC:
            return cls(name)
        library = find_library(name)
        if library is None:
            raise Problem(f"--allocator {name}: the loader finds no lib{name}: run scripts/setup allocators")
        return cls(name, library)

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that is to use it."""
        if not self.library:
            return {}
        before = os.environ.get("LD_PRELOAD")
        return {"LD_PRELOAD": f"{self.library}:{before}" if before else self.library}

    def is_in(self, pid: int) -> bool:
        """A loader that cannot take a library warns and goes on without; a static program has none."""
        try:
            return not self.library or f"/lib{self.name}.so" in Path("/proc", str(pid), "maps").read_text(
                errors="replace"
            )
        except OSError:
            return False

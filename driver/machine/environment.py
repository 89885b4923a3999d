"""The environment variables that the driver and its children get, chosen by name. No other inherited variable reaches a
library or child."""

from __future__ import annotations

import os
from collections.abc import Mapping

_GENERAL = frozenset({"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "TERM", "NO_COLOR", "XDG_CACHE_HOME"})
# scripts/setup fetches packages
_OF_NETWORK = frozenset({f"{kind}_proxy" for kind in ("http", "https", "ftp", "all", "no")})
# What may change a measurement, and is wanted by whoever sets it: kept, recorded, and shown in the report.
_TELLING = (
    "MALLOC_",
    "MIMALLOC_",
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_BIND_NOW",
    "OMP_",
    "GOMP_",
    "KMP_",
    "TBB_",
    "UV_",
)
# a build with one of them is no measurement
_OF_SANITIZERS = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
_OWN = "CROSSOVER_"
_SAME_TEXT = {"LC_ALL": "C.UTF-8"}  # messages and numbers are read: in one language, and any name can be written
_SAME_ARITHMETIC = {"OPENBLAS_NUM_THREADS": "1"}  # of the driver: small, and threads are what a limit may refuse


def is_telling(name: str) -> bool:
    """Whether the variable changes what is measured."""
    return name.startswith(_TELLING)


def telling() -> dict[str, str]:
    """What the bench processes have that may change what is measured."""
    return {name: value for name, value in sorted(os.environ.items()) if is_telling(name)}


def of_tools() -> dict[str, str]:
    """Of git, the build and the set-up: no compiler, flag, generator or repository but those of the checkout."""
    return {
        name: value for name, value in os.environ.items() if name in _GENERAL or name.lower() in _OF_NETWORK
    } | _SAME_TEXT


def of_benches(more: Mapping[str, str]) -> dict[str, str]:
    """Of whatever is measured or serves what is measured; `more` comes on top."""
    own = {name: value for name, value in os.environ.items() if name.startswith((*_OF_SANITIZERS, _OWN))}
    return {**of_tools(), **own, **telling(), **more}


def enter() -> None:
    """For this process, before it imports what reads variables."""
    kept = of_benches(_SAME_ARITHMETIC)
    os.environ.clear()
    os.environ.update(kept)

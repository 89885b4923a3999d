"""Imports matplotlib without the user's settings, style or back end, so that figures are the same everywhere."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from vocabulary.user_cache import user_cache

_NOWHERE = Path(os.devnull)  # in which no folder can be made: matplotlib then takes a temporary one


def _load() -> None:
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would talk of its temporary folder
    for name in ("MPLBACKEND", "MATPLOTLIBRC"):
        os.environ.pop(name, None)
    os.environ["MPLCONFIGDIR"] = str((user_cache() or _NOWHERE) / "matplotlib")  # its list of fonts is kept there
    present = os.open(".", os.O_PATH)
    os.chdir(Path(__file__).parent)  # a matplotlibrc in the present folder would come before all others
    try:
        import matplotlib  # noqa: F401
    finally:
        os.fchdir(present)
        os.close(present)


_load()

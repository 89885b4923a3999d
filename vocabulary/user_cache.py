"""Where the user's cache has what is kept between runs. The folder can be deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path | None:
    """None where nothing says whose cache it is."""
    cache, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
    if os.path.isabs(cache):
        return Path(cache, "crossover")
    return Path(home, ".cache", "crossover") if os.path.isabs(home) else None

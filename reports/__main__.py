"""python3 -m reports DIR is scripts/crossover report DIR, whose interpreter no variable leads astray."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_COMMAND = str(Path(__file__).resolve().parent.parent / "scripts" / "crossover")

if __name__ == "__main__":
    os.execv(_COMMAND, [_COMMAND, "report", *sys.argv[1:]])

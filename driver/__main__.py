"""The entry of scripts/crossover: puts the repository, not this folder, on the module path."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from driver.command import main  # noqa: E402  (needs the path above)

sys.exit(main(sys.argv[1:]))

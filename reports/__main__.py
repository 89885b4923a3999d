"""python3 -m reports DIR: draws the report of a run again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from reports.console import take_any_text

USAGE, ENVIRONMENT, BAD_FILE = 2, 3, 4


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python3 -m reports DIR (the results folder of a run)", file=sys.stderr)
        return USAGE
    take_any_text()
    folder = Path(arguments[0])
    if not folder.is_dir():
        print(f"{folder}: no such folder: give the results folder of a run, e.g. results/<id>", file=sys.stderr)
        return USAGE
    try:
        from reports import ReadError, build
    except ImportError as error:
        print(f"the Python module {error.name} is missing: run scripts/setup", file=sys.stderr)
        return ENVIRONMENT
    try:
        build(folder)
    except ReadError as error:
        print(error, file=sys.stderr)
        return BAD_FILE
    except OSError as error:
        print(f"{error.filename or folder}: {error.strerror}: make room or choose a folder that you can write to", file=sys.stderr)
        return ENVIRONMENT
    print(folder / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Prints who wins what in a run: python3 -m reports.examples.winners results/<id>."""

import sys
from pathlib import Path

from reports.analysis import analyse
from reports.read import ReadError, read_run
from reports.words import kind_in_words, listed, margin_in_words


def main() -> None:
    for case in analyse(read_run(Path(sys.argv[1]))).cases:
        verdict = case.deciding
        best = listed(verdict.best_set) or "nobody"
        print(f"{case.workload.id} {case.label}: {best}: {kind_in_words(verdict)} ({margin_in_words(verdict)})")


if __name__ == "__main__":
    try:
        main()
    except ReadError as error:
        sys.exit(str(error))

"""Prints who wins what in a run: python3 -m reports.examples.winners results/<id>."""

import sys
from pathlib import Path

from reports.analysis import analyse
from reports.read import ReadError, read_run
from reports.words import case_in_words


def main() -> None:
    for case in analyse(read_run(Path(sys.argv[1]))).cases:
        print(f"{case.workload.id} {case.label}: {case_in_words(case, case.workload.metric)}")


if __name__ == "__main__":
    try:
        main()
    except ReadError as error:
        sys.exit(str(error))

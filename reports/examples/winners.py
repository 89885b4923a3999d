"""Prints who wins what in a run: python3 -m reports.examples.winners results/<id>."""

import sys
from pathlib import Path

from reports.cases.cases import analyse
from reports.cases.phrases import case_in_words
from reports.cases.read import ReadError, read_run


def main() -> None:
    """Prints the verdict of each case of the run that the command line names."""
    for case in analyse(read_run(Path(sys.argv[1]))).cases:
        print(f"{case.workload.id} {case.label}: {case_in_words(case, case.workload.metric)}")


if __name__ == "__main__":
    try:
        main()
    except ReadError as error:
        sys.exit(str(error))

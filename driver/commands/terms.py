"""What a check allows, and how it is told."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path

from driver.problem import Exit, Problem


@dataclass(frozen=True)
class Terms:
    """On which terms the regression gate passes, and how it reports."""

    threshold: float  # 0.1 allows 10 % more
    fail_on_inconclusive: bool
    markdown: bool
    junit: Path | None  # a file

    @classmethod
    def of(cls, options: argparse.Namespace) -> Terms:
        """From the command line. A Problem for a value that cannot be."""
        return cls(
            parse_threshold(options.threshold),
            options.fail_on_inconclusive,
            options.markdown,
            _junit_file(options.junit),
        )


def parse_threshold(text: str) -> float:
    """0.1 of 10 or 10%."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", text)
    if match is None or not 0 < float(match[1]) <= 1000:
        raise Problem(f"--threshold {text} is not a percentage above 0: write 10%", Exit.USAGE)
    return float(match[1]) / 100


def _junit_file(text: Path | None) -> Path | None:
    """A file that can be written."""
    if text is not None and text.is_dir():
        raise Problem(f"--junit {text} is a folder: name a file in it", Exit.USAGE)
    if text is not None and not text.absolute().parent.is_dir():
        raise Problem(
            f"--junit {text}: there is no folder {text.absolute().parent}: make it, or name another file", Exit.USAGE
        )
    if text is not None and not os.access(text if text.exists() else text.absolute().parent, os.W_OK):
        raise Problem(f"--junit {text} cannot be written: name another file")
    return text

"""`crossover check`: the regression gate between two runs. It tells what it found, writes it down for a CI server, and chooses the exit code."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driver import output
from driver.examine import Pair, compared, read
from driver.problem import Exit, Problem

if TYPE_CHECKING:
    from reports.compare import Comparison

Say = Callable[[str], None]


@dataclass(frozen=True)
class Terms:
    """What is allowed, and how it is told."""

    threshold: float  # 0.1 allows 10 % more
    fail_on_inconclusive: bool
    markdown: bool
    junit: Path | None  # a file


def check(pair: Pair, terms: Terms, say: Say) -> Exit:
    from reports.compare import BOTH

    before, after = read(pair)
    if all(before.run.get(key) == after.run.get(key) for key in ("id", "started_utc", "seed")):
        say(f"{pair.before} and {pair.after} are the same run: nothing can have changed; give two of them")
    return conclude(compared(pair, before, after, BOTH), terms, say)


def conclude(comparison: Comparison, terms: Terms, say: Say) -> Exit:
    """A regression outweighs what is inconclusive."""
    from reports.gate import judge
    from reports.gate_lines import lines
    from reports.junit import junit

    found = judge(comparison, terms.threshold)
    for line in lines(found, comparison, terms.threshold, terms.markdown):
        say(line)
    if terms.junit is not None:
        output.write_whole(terms.junit, junit(found), elsewhere="name another file with --junit")
    if found.failed:
        return Exit.REGRESSION
    return Exit.INCONCLUSIVE if terms.fail_on_inconclusive and (found.inconclusive or found.unmeasured) else Exit.OK


def parse_threshold(text: str) -> float:
    """0.1 of 10 or 10%."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", text)
    if match is None or not 0 < float(match[1]) <= 1000:
        raise Problem(f"--threshold {text} is no percentage above 0: write 10%", Exit.USAGE)
    return float(match[1]) / 100


def junit_file(text: Path | None) -> Path | None:
    """A file that can be written."""
    if text is not None and text.is_dir():
        raise Problem(f"--junit {text} is a folder: name a file in it", Exit.USAGE)
    if text is not None and not text.absolute().parent.is_dir():
        raise Problem(f"--junit {text}: there is no folder {text.absolute().parent}: make it, or name another file", Exit.USAGE)
    if text is not None and not os.access(text if text.exists() else text.absolute().parent, os.W_OK):
        raise Problem(f"--junit {text} cannot be written: name another file")
    return text

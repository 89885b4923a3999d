"""`crossover check`: the regression gate between two runs. It reports what it found, also for a CI server, and chooses
the exit code."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from driver.commands.compare import Pair, compared, read
from driver.commands.options import MEASURING
from driver.commands.terms import Terms
from driver.problem import Exit, Problem
from driver.session import output
from reports.comparison import gate, gate_in_words
from reports.comparison.compare import Comparison
from reports.comparison.junit import junit
from vocabulary.terms import MAP_METRICS


def check(options: argparse.Namespace, say: Callable[[str], None]) -> Exit:
    """Of two runs."""
    if options.after is None:
        raise Problem(
            (
                "check compares two runs, or what is built here with another revision: give BEFORE and AFTER, or"
                " --against-built REV"
            ),
            Exit.USAGE,
        )
    if given := [
        option for option in MEASURING if getattr(options, option.removeprefix("--").replace("-", "_")) is not None
    ]:
        raise Problem(
            f"{given[0]} is for --against-built REV, which measures: the two runs are measured already", Exit.USAGE
        )
    pair, terms = Pair.of(options), Terms.of(options)
    before, after = read(pair)
    if all(before.run.get(key) == after.run.get(key) for key in ("id", "started_utc", "seed")):
        say(f"{pair.before} and {pair.after} are the same run: nothing can have changed; give two of them")
    return conclude(compared(pair, before, after, MAP_METRICS), terms, say)


def conclude(comparison: Comparison, terms: Terms, say: Callable[[str], None]) -> Exit:
    """A regression outweighs what is inconclusive."""
    found = gate.judge(comparison, terms.threshold)
    for line in gate_in_words.lines(found, comparison, terms.threshold, terms.markdown):
        say(line)
    if terms.junit is not None:
        output.write_whole(terms.junit, junit(found), elsewhere="name another file with --junit")
    if found.failed:
        return Exit.REGRESSION
    return Exit.INCONCLUSIVE if terms.fail_on_inconclusive and (found.inconclusive or found.unmeasured) else Exit.OK

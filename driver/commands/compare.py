"""`crossover compare`: two runs side by side, in lines and, if that is asked for, drawn."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from driver.commands.report import focus_of
from driver.commands.results import check_there, readable
from driver.names import check_names, given_names
from driver.prepare.request import Front
from driver.problem import Exit, Problem
from driver.session import output
from reports.cases.cases import analyse
from reports.cases.read import read_run
from reports.cases.run import Run
from reports.comparison import compare as comparing, side_by_side
from reports.comparison.compare import Comparison
from vocabulary.terms import METRICS


@dataclass(frozen=True)
class Pair:
    """Two runs, as the command line names them."""

    before: Path
    after: Path
    metrics: Sequence[str]  # none: what decides each workload
    other_host: bool  # allowed

    @classmethod
    def of(cls, options: argparse.Namespace) -> Pair:
        """From the command line. A Problem for a metric that does not exist."""
        return cls(
            options.before,
            options.after,
            given_names("--metrics", options.metrics, ", ".join(METRICS)),
            options.allow_different_host,
        )


def compare(options: argparse.Namespace, say: Callable[[str], None]) -> Exit:
    """`crossover compare`: prints the changes, and draws them if a folder is named."""
    pair, front, out = Pair.of(options), Front(options.focus, options.against), options.out
    if out is not None:
        output.check_folder(out)
    before, after = read(pair)
    focus = focus_of(front, before, after)
    analyses = replace(analyse(before), focus=focus), replace(analyse(after), focus=focus)
    comparison = compared(pair, before, after)
    for line in side_by_side.lines(
        comparison,
        comparing.verdict_changes(before, after),
        options.markdown,
        side_by_side.front(*analyses, comparison),
    ):
        say(line)
    if out is not None:
        from reports.pages.drawn_comparison import draw  # takes a second to start, which lines need not

        say(str(draw(*analyses, comparison, out)))
    return Exit.OK


def read(pair: Pair) -> tuple[Run, Run]:
    """Both runs. A Problem where one cannot be read, or where they are of different hosts and that is not allowed."""
    check_names("metric", pair.metrics, METRICS)
    for path in (pair.before, pair.after):
        check_there(path)
    with readable():
        before, after = read_run(pair.before), read_run(pair.after)
    if (differences := comparing.host_differences(before, after)) and not pair.other_host:
        raise Problem(
            (
                f"the runs are of different hosts or settings ({'; '.join(differences)}): compare runs of one host, or"
                " use --allow-different-host"
            ),
            Exit.USAGE,
        )
    return before, after


def compared(pair: Pair, before: Run, after: Run, beside: Sequence[str] = ()) -> Comparison:
    """`beside`: metrics by which to compare beside the one that decides."""
    comparison = comparing.compare(before, after, pair.metrics, beside)
    if not comparison.changes and not comparison.lost and not comparison.unmeasured:
        why = (
            "those that they share owe other work than before"
            if comparison.other_work
            else "their workloads, sizes or models differ, or nothing was measured"
        )
        raise Problem(f"{pair.before} and {pair.after} have no measured cell in common: {why}", Exit.NOTHING_MATCHED)
    return comparison

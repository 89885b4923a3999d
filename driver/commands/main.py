"""Reads the command line, runs the verb, and returns its exit code. No failure shows a traceback."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from driver.commands.options import parser
from driver.faults import in_one_line
from driver.machine import inherited
from driver.problem import Exit, Interrupted, Problem
from driver.progress import Progress, silence
from driver.refusal import refused

Draw = Callable[[Path], Sequence[str]]  # makes the report in a folder; what it says, in a few lines


def main(arguments: Sequence[str], benches: Path | None = None, draw: Draw | None = None) -> int:
    """`benches` takes the bench processes from another folder than that of the release build, and builds nothing;
    `draw` makes the report of a run, instead of reports.build."""
    try:
        try:
            with in_one_line():
                inherited.forget()
                return _obey(parser().parse_args(arguments), arguments, benches, draw)
        finally:
            with _to_reader():
                sys.stdout.flush()
    except Problem as problem:
        _complain(str(problem))
        return problem.code
    except (Interrupted, KeyboardInterrupt):
        _complain("interrupted")
        return Exit.INTERRUPTED


def _obey(options: argparse.Namespace, arguments: Sequence[str], benches: Path | None, draw: Draw | None) -> int:
    """Each verb is imported when it is asked for: what it needs may not be installed before a run has set it up, and
    SciPy takes half a second."""
    match options.verb:
        case "run":
            from driver.commands import run

            return run.run(options, arguments, benches, draw, _say)
        case "report":
            from driver.commands import report

            return report.report(options, _say)
        case "list":
            from driver.commands import fairness, listing
            from driver.prepare import build

            tell = listing.markdown if options.markdown else fairness.table if options.fairness else listing.describe
            for line in tell(build.programs(benches or build.BENCHES), Progress()):
                _say(line)
            return Exit.OK
        case "doctor":
            from driver.doctor import doctor

            return doctor.examine(options.json, _say)
        case "compare":
            from driver.commands import compare

            return compare.compare(options, _say)
        case "check" if options.against_built:
            from driver.commands import against

            return against.check(options, arguments, benches, _say)
        case "check":
            from driver.commands import check

            return check.check(options, _say)
        case "advise":
            from driver.commands import advise

            return advise.advise(options, benches, _say)
        case "validate":
            from driver.commands import validate

            return validate.validate(options.file, _say)
        case "new":
            from driver.commands import scaffold

            for line in scaffold.create(options.kind, options.name, options.threads):
                _say(line)
            return Exit.OK
    raise Problem(
        "say what to do: run, report, list, doctor, compare, check, advise, validate or new; --help explains",
        Exit.USAGE,
    )


def _complain(line: str) -> None:
    try:
        print(f"crossover: {' '.join(line.splitlines())}", file=sys.stderr, flush=True)
    except OSError:  # the exit code tells it too
        silence(sys.stderr)


def _say(line: str) -> None:
    with _to_reader():
        print(line)


@contextlib.contextmanager
def _to_reader() -> Iterator[None]:
    """One that has seen enough, as in `check A B | head`, changes nothing of what is found out."""
    try:
        yield
    except OSError as error:
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise refused("write", "what it found", error) from None

"""The command line of scripts/crossover: verbs, options, exit codes. Nothing that goes wrong shows a traceback."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from driver import advise, against, build, check, doctor, document, examine, fairness, host, output, pace, revision, scaffold
from driver.allocator import ALLOCATORS, GLIBC, Allocator
from driver.cells import METRICS
from driver.front import Front
from driver.listing import describe, markdown
from driver.problem import Exit, Interrupted, Problem
from driver.progress import Progress, silence
from driver.run import Request, measure
from driver.selection import check_names, split_names
from driver.sizes import parse_size
from reports import outcomes

if TYPE_CHECKING:
    from reports.run import Focus

_SHOWN_FAILURES = 10
_REMEDIES = {  # where no file is named
    errno.ENOSPC: ": make room, or write elsewhere",
    errno.ENOENT: ": the present folder is gone: change to another",
    errno.EMFILE: ": raise the limit of open files (ulimit -n)",
}


_MEASURING = {
    "--models": "only these",
    "--workloads": "only these",
    "--cells": "only these, patterns of ids",
    "--time-budget": "of measuring (default: 4m)",
    "--out": "an empty or new folder (default: results/<time>-check)",
}
_METAVARS = {"--models": "A,B", "--workloads": "X,Y", "--cells": "GLOB", "--time-budget": "5m", "--out": "DIR"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Problem(f"{message}; {self.prog} --help shows what there is", Exit.USAGE)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None:
            check_names(action.dest, [value], action.choices)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[argparse.Namespace, list[str]]:
        """Each verb refuses what it does not know by itself, since it knows what it does."""
        options, unknown = super().parse_known_args(args, namespace)
        flags = [name for name in self._option_string_actions if name.startswith("--")]
        for flag in (argument.partition("=")[0] for argument in unknown if argument.startswith("-")):
            check_names("option", [flag], flags)
        return options, unknown


def _add_front(verb: argparse.ArgumentParser, which: str) -> None:
    verb.add_argument("--focus", default="", metavar="MODEL", help=f"put this model in front: its ratios, first in headlines, maps and charts ({which})")
    verb.add_argument("--against", default="", metavar="MODEL", help="what it is compared with (default: the best of the others, case by case)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="crossover", description="Which concurrency model wins for this work, on this machine?", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", metavar="run | report | list | doctor | compare | check | advise | validate | new")
    run = verbs.add_parser("run", help="set up, build, measure, report", allow_abbrev=False)
    size = run.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="mode", action="store_const", const="quick", help="one model of each family (those that stand for it in the verdicts) and serial on representative cells, within 60 s of the build (default)")
    size.add_argument("--full", dest="mode", action="store_const", const="full", help="those on all named cells, and all other models on one size of as many workloads as 800 cells have room for, within 10 min")
    size.add_argument("--exhaustive", dest="mode", action="store_const", const="exhaustive", help="all models on all sizes: takes a night")
    run.add_argument("--models", default="", metavar="A,B", help="only these, on all sizes of the list; scripts/crossover list names them")
    run.add_argument("--workloads", default="", metavar="X,Y", help="only these")
    run.add_argument("--size", action="append", metavar="tasks=5000,wait_us=20000", help="only this size of the named workloads; params that are left out are as in a listed size (may be given several times)")
    run.add_argument("--cells", action="append", metavar="GLOB", help="only cells whose id matches, of all sizes and models: 'mixed/*/tasks:100/*' (may be given several times)")
    run.add_argument("--cores", type=int, metavar="N", help="how many cores a model may use (default: affinity mask and cgroup quota)")
    run.add_argument("--allocator", choices=ALLOCATORS, metavar="A", help=f"of memory, for the models: {', '.join(ALLOCATORS)} (default: {GLIBC})")
    run.add_argument("--seed", type=int, metavar="N", help="of the order of the rounds (default: drawn, and stored)")
    run.add_argument("--time-budget", metavar="5m", help="of measuring, without build and report")
    _add_front(run, "also where it does not stand for its family")
    run.add_argument("--out", type=Path, metavar="DIR", help="an empty or new folder (default: results/<time>-<mode>)")
    run.add_argument("--resume", type=Path, metavar="DIR", help="continue a run that was interrupted, as it was begun")
    report = verbs.add_parser("report", help="draw the report of a run again", allow_abbrev=False)
    report.add_argument("dir", type=Path, metavar="DIR")
    _add_front(report, "of the run, also where it was made for another one")
    listing = verbs.add_parser("list", help="models and workloads", allow_abbrev=False)
    shape = listing.add_mutually_exclusive_group()
    shape.add_argument("--markdown", action="store_true", help="the table of models in the README")
    shape.add_argument("--fairness", action="store_true", help="the table of models in docs/FAIRNESS.md")
    verbs.add_parser("doctor", help="is this machine fit to measure on, and what can it resolve?", allow_abbrev=False)
    compare = verbs.add_parser("compare", help="two runs side by side", allow_abbrev=False)
    gate = verbs.add_parser("check", help="regression gate: exit code 1 if AFTER is shown to be worse than BEFORE", allow_abbrev=False)
    for verb in (compare, gate):
        names: dict[str, Any] = {"nargs": "?"} if verb is gate else {}  # with --against-built there are none
        verb.add_argument("before", type=Path, metavar="BEFORE", help="the results folder of a run", **names)
        verb.add_argument("after", type=Path, metavar="AFTER", **names)
        verb.add_argument("--metrics", default="", metavar="A,B", help="of time, cpu, latency, memory (default: what decides each workload; check: time and CPU, too)")
        verb.add_argument("--markdown", action="store_true", help="tables as GitHub reads them")
        verb.add_argument("--allow-different-host", action="store_true", help="compare all the same")
    _add_front(compare, "of both runs")
    compare.add_argument("--out", type=Path, metavar="DIR", help="draw the two runs side by side, into DIR/compare.html")
    gate.add_argument("--threshold", default="10%", metavar="10%", help="what is allowed (default: 10%%)")
    gate.add_argument("--junit", type=Path, metavar="FILE", help="write what it found as JUnit's XML, one test case for each cell")
    gate.add_argument("--against-built", metavar="REV", help="instead of two runs: build the programs of a git revision and measure them and those that are built here in the same rounds")
    for option, meaning in _MEASURING.items():
        gate.add_argument(option, type=Path if option == "--out" else str, metavar=_METAVARS[option], help=f"with --against-built: {meaning}")
    gate.add_argument("--fail-on-inconclusive", action="store_true", help="exit code 5 where a regression is neither shown nor excluded")
    advice = verbs.add_parser("advise", help="which model for this work? from what a run measured, or by measuring it", allow_abbrev=False)
    advice.add_argument("--tasks", required=True, metavar="N", help="that are under way together")
    advice.add_argument("--wait", required=True, metavar="20ms", help="how long each of them waits")
    advice.add_argument("--compute", required=True, metavar="200us", help="how long each of them computes")
    advice.add_argument("--blocking-library", action="store_true", help="the waits are calls of a library that only blocks")
    advice.add_argument("--memory", metavar="512M", help="that there is for all of it")
    advice.add_argument("--run", type=Path, metavar="DIR", help="the results folder of a run (default: the newest in results/ that knows such work)")
    advice.add_argument("--measure", action="store_true", help="measure this very mix, in 30 s after the build (longer where a batch takes over 0.3 s, at most 5 min), and answer from that")
    validate = verbs.add_parser("validate", help="does a result file keep to its schema?", allow_abbrev=False)
    validate.add_argument("file", type=Path, metavar="FILE", help="run.json, samples.jsonl, or the folder of a run")
    new = verbs.add_parser("new", help="write the skeleton of a runtime or a workload: it works as it is, and is registered", allow_abbrev=False)
    new.add_argument("kind", choices=scaffold.KINDS, metavar="|".join(scaffold.KINDS))
    new.add_argument("name", metavar="NAME", help="of its class and its file, as in my_model")
    return parser


def _request(options: argparse.Namespace, arguments: Sequence[str]) -> Request:
    budget = pace.parse_duration(options.time_budget) if options.time_budget else None
    begun = options.mode, options.models, options.workloads, options.size, options.cells, options.cores, options.allocator, options.seed, options.out, options.focus, options.against
    if options.resume is not None:
        if any(option not in (None, "") for option in begun):
            raise Problem("--resume continues a run as it was begun: beside it only --time-budget can be given", Exit.USAGE)
        return Request.resumed(options.resume, budget, ["crossover", *arguments])
    if options.seed is not None and options.seed < 0:
        raise Problem(f"--seed {options.seed} is negative", Exit.USAGE)
    if options.seed is not None and options.seed >= 1 << 63:
        raise Problem(f"--seed {options.seed} does not fit into 63 bits", Exit.USAGE)
    if options.size and not options.workloads:
        raise Problem(f"--size {options.size[0]} needs --workloads: name those that have these params, as in --workloads mixed", Exit.USAGE)
    if options.out is None:
        output.check_writable(host.ROOT)
    else:
        output.check_new(options.out)
    front, models = Front(options.focus, options.against), _names("--models", options.models, "those of scripts/crossover list")
    front.check_among(models)
    return Request(
        pace=pace.PACES[options.mode or "quick"].with_budget(budget),
        models=models,
        front=front,
        workloads=_names("--workloads", options.workloads, "those of scripts/crossover list"),
        sizes=[parse_size(text) for text in options.size or ()],
        cells=[name for text in options.cells or () for name in _names("--cells", text, "cells of run.json")],
        cores=host.cores_of_run(options.cores),
        allocator=Allocator.named(options.allocator or GLIBC),
        seed=options.seed,
        out=options.out,
        command_line=["crossover", *arguments],
    )


def _names(option: str, text: str, known: str) -> list[str]:
    """`known`: what says which there are."""
    names = split_names(text)
    if text and not names:
        raise Problem(f"{option} {text} names nothing; there are: {known}", Exit.USAGE)
    return names


def _draw(folder: Path, front: Focus | None = None) -> Sequence[str]:
    """What the report says, in a few lines."""
    import reports

    try:
        return reports.build(folder, front)
    except reports.ReadError as error:
        raise Problem(str(error), Exit.CELL_FAILED) from None
    except OSError as error:
        raise Problem(f"cannot write the report: {error.strerror}: {error.filename or folder}: mend that, then scripts/crossover report {folder}") from None
    except ModuleNotFoundError as error:
        raise Problem(f"the Python module {error.name} is missing: run scripts/setup, then scripts/crossover report {folder}") from None


def _summarise(folder: Path, progress: Progress) -> None:
    run = json.loads((folder / document.NAME).read_text(encoding="utf-8"))
    twins = {model["id"] for model in run["models"] if model.get("twin_of")}
    cells = run["cells"]
    progress.say(f"measured into {folder}: {outcomes.counted(cell['status'] for cell in cells if cell['model'] not in twins)}")
    if not any(cell["samples"] for cell in cells):
        progress.say(f"nothing was measured: {run['run']['stop_reason']}: give it more time with --time-budget, or choose smaller work")
    failed = [cell for cell in cells if cell["status"] in outcomes.FAILURES]
    for cell in failed[:_SHOWN_FAILURES]:
        progress.say(f"    {cell['id']}: {cell['status'].replace('_', ' ')}: {cell['reason']}")
    if len(failed) > _SHOWN_FAILURES:
        progress.say(f"    and {len(failed) - _SHOWN_FAILURES} more in {folder / document.NAME}")


def _run(request: Request, benches: Path | None, draw: Callable[[Path], Sequence[str]]) -> Exit:
    progress = Progress()
    if benches is None:
        build.prepare(request.models, request.workloads, progress, request.front.models)
        benches = build.BENCHES
    folder, verdict = measure(request, build.programs(benches), build.servers(benches), progress)
    _summarise(folder, progress)
    if verdict == Exit.INTERRUPTED:
        progress.say(f"interrupted: what was measured is in {folder}; scripts/crossover run --resume {folder} continues")
        return verdict
    progress.tell("drawing the report")
    for line in draw(folder):
        progress.say(line)
    progress.end()
    print(folder / "index.html")
    return verdict


def _report(folder: Path, front: Front, draw: Callable[[Path], Sequence[str]]) -> Exit:
    if not (folder / document.NAME).is_file():
        raise document.nothing_in(folder)
    if front.focus:
        draw = partial(draw, front=_measured_front(folder, front))
    draw(folder)
    print(folder / "index.html")
    return Exit.OK


def _measured_front(folder: Path, front: Front) -> Focus | None:
    from reports.read import ReadError, read_run

    try:
        return front.of_runs(read_run(folder))
    except ReadError as error:
        raise Problem(str(error), Exit.CELL_FAILED) from None


def _pair(options: argparse.Namespace) -> examine.Pair:
    return examine.Pair(options.before, options.after, _names("--metrics", options.metrics, ", ".join(METRICS)), options.allow_different_host)


def _terms(options: argparse.Namespace) -> check.Terms:
    return check.Terms(check.parse_threshold(options.threshold), options.fail_on_inconclusive, options.markdown, check.junit_file(options.junit))


def _two_runs(options: argparse.Namespace) -> examine.Pair:
    if options.after is None:
        raise Problem("check compares two runs, or what is built here with another revision: give BEFORE and AFTER, or --against-built REV", Exit.USAGE)
    if given := [option for option in _MEASURING if _value(options, option) is not None]:
        raise Problem(f"{given[0]} is for --against-built REV, which measures: the two runs are measured already", Exit.USAGE)
    return _pair(options)


def _value(options: argparse.Namespace, option: str) -> Any:
    return getattr(options, option.removeprefix("--").replace("-", "_"))


def _against_built(options: argparse.Namespace, arguments: Sequence[str], benches: Path | None) -> Exit:
    if options.before is not None or options.metrics or options.allow_different_host:
        raise Problem("--against-built measures both programs itself: leave out BEFORE, AFTER, --metrics and --allow-different-host", Exit.USAGE)
    terms, progress, commit = _terms(options), Progress(), revision.commit_of(options.against_built)
    budget = pace.parse_duration(options.time_budget) if options.time_budget else against.BUDGET_NS
    request = Request(
        pace=pace.QUICK.with_budget(budget),
        cores=host.cores_of_run(None),
        allocator=Allocator.named(GLIBC),
        models=_names("--models", options.models or "", "those of scripts/crossover list"),
        workloads=_names("--workloads", options.workloads or "", "those of scripts/crossover list"),
        cells=_names("--cells", options.cells or "", "cells of run.json"),
        out=options.out,
        command_line=["crossover", *arguments],
    )
    output.check_writable(host.ROOT) if request.out is None else output.check_new(request.out)
    if benches is None:
        build.prepare(request.models, request.workloads, progress)
    here = benches or build.BENCHES
    there = revision.build_benches(commit, request.models, progress)
    return against.check(request, build.programs(here), against.Second(commit, build.programs(there)), build.servers(here), terms, progress, print)


def _question(options: argparse.Namespace) -> advise.Request:
    return advise.Request(
        tasks=advise.parse_tasks(options.tasks),
        wait_ns=advise.parse_time("--wait", options.wait),
        compute_ns=advise.parse_time("--compute", options.compute),
        blocking_library=options.blocking_library,
        memory_bytes=advise.parse_memory(options.memory) if options.memory is not None else None,
        run=options.run,
        measure=options.measure,
        again=_measuring(options),
    )


def _measuring(options: argparse.Namespace) -> str:
    """The command that measures what is asked."""
    limits = ["--blocking-library"] * options.blocking_library + ([f"--memory {options.memory}"] if options.memory is not None else [])
    return " ".join([f"scripts/crossover advise --tasks {options.tasks} --wait {options.wait} --compute {options.compute}", *limits, "--measure"])


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    """Turns what the system or a bug throws into a line that says what to do."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise Problem(f"{error.strerror or error}{where}{_REMEDIES.get(error.errno or 0, '') if not where else ''}") from None
    except (Problem, Interrupted, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        raise Problem(f"the Python module {error.name} is missing: run scripts/setup") from None
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        raise Problem(f"a fault of crossover itself at {place}: {type(error).__name__}: {' '.join(str(error).split())}: please report it") from None


def main(arguments: Sequence[str], benches: Path | None = None, draw: Callable[[Path], Sequence[str]] = _draw) -> int:
    """`benches` takes the bench processes from another folder than that of the release build, and builds nothing; `draw` makes the report."""
    try:
        try:
            with _one_line():
                return _obey(_parser().parse_args(arguments), arguments, benches, draw)
        finally:
            _flush()
    except Problem as problem:
        _complain(str(problem))
        return problem.code
    except (Interrupted, KeyboardInterrupt):
        _complain("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # the reader, as in `list | head`, has seen enough
        return Exit.OK


def _obey(options: argparse.Namespace, arguments: Sequence[str], benches: Path | None, draw: Callable[[Path], Sequence[str]]) -> int:
    match options.verb:
        case "run":
            return _run(_request(options, arguments), benches, draw)
        case "report":
            return _report(options.dir, Front(options.focus, options.against), draw)
        case "list":
            tell = markdown if options.markdown else fairness.table if options.fairness else describe
            for line in tell(build.programs(benches or build.BENCHES), Progress()):
                print(line)
            return Exit.OK
        case "doctor":
            return doctor.examine(print)
        case "compare":
            return examine.compare(_pair(options), Front(options.focus, options.against), options.markdown, options.out, print)
        case "check":
            return _against_built(options, arguments, benches) if options.against_built else check.check(_two_runs(options), _terms(options), print)
        case "advise":
            return advise.advise(_question(options), host.ROOT / "results", benches, print)
        case "validate":
            return examine.validate(options.file, print)
        case "new":
            for line in scaffold.create(options.kind, options.name):
                print(line)
            return Exit.OK
    raise Problem("say what to do: run, report, list, doctor, compare, check, advise, validate or new; --help explains", Exit.USAGE)


def _complain(line: str) -> None:
    try:
        print(f"crossover: {' '.join(line.splitlines())}", file=sys.stderr, flush=True)
    except OSError:  # the exit code tells it too
        silence(sys.stderr)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise Problem(f"cannot write what it found: {error.strerror}: make room, or write elsewhere") from None

"""What each verb of scripts/crossover does, and its exit code. Nothing that goes wrong shows a traceback."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver import advise, against, build, check, doctor, document, examine, fairness, host, inherited, output, pace, revision, scaffold
from driver.allocator import GLIBC, Allocator
from driver.cells import METRICS
from driver.faults import in_one_line
from driver.front import Front
from driver.listing import describe, markdown
from driver.options import MEASURING, parser
from driver.problem import Exit, Interrupted, Problem
from driver.progress import Progress, silence
from driver.readiness import ready
from driver.refusal import refused
from driver.run import Request, measure
from driver.selection import split_names
from driver.sizes import parse_size
from reports import outcomes

if TYPE_CHECKING:
    from reports.run import Focus

_SHOWN_FAILURES = 10


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


def _names(option: str, text: str | None, known: str) -> list[str]:
    """None if the option was not given. `known`: what says which there are."""
    names = split_names(text or "")
    if text is not None and not names:
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
        raise refused("write the report", error.filename or folder, error) from None


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
    benches = ready(request.models, request.workloads, benches, progress, request.front.models)
    folder, verdict = measure(request, build.programs(benches), build.servers(benches), progress)
    _summarise(folder, progress)
    if verdict == Exit.INTERRUPTED:
        progress.say(f"interrupted: what was measured is in {folder}; scripts/crossover run --resume {folder} continues")
        return verdict
    progress.tell("drawing the report")
    for line in _drawn(folder, draw):
        progress.say(line)
    progress.end()
    _say(str(folder / "index.html"))
    return verdict


def _drawn(folder: Path, draw: Callable[[Path], Sequence[str]]) -> Sequence[str]:
    """What was measured is not lost with its report."""
    try:
        with in_one_line():
            return draw(folder)
    except Problem as problem:
        raise Problem(f"{problem}; what was measured is in {folder / document.NAME}, and scripts/crossover report {folder} draws it", problem.code) from None


def _report(folder: Path, front: Front, draw: Callable[[Path], Sequence[str]]) -> Exit:
    if not (folder / document.NAME).is_file():
        raise document.nothing_in(folder)
    if front.focus:
        draw = partial(draw, front=_measured_front(folder, front))
    draw(folder)
    _say(str(folder / "index.html"))
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
    if given := [option for option in MEASURING if _value(options, option) is not None]:
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
        models=_names("--models", options.models, "those of scripts/crossover list"),
        workloads=_names("--workloads", options.workloads, "those of scripts/crossover list"),
        cells=_names("--cells", options.cells, "cells of run.json"),
        out=options.out,
        command_line=["crossover", *arguments],
    )
    output.check_writable(host.ROOT) if request.out is None else output.check_new(request.out)
    here = ready(request.models, request.workloads, benches, progress)
    against.check_choice(request, build.programs(here), progress)
    there = revision.build_benches(commit, request.models, progress)
    return against.check(request, build.programs(here), against.Second(commit, build.programs(there)), build.servers(here), terms, progress, _say)


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


def main(arguments: Sequence[str], benches: Path | None = None, draw: Callable[[Path], Sequence[str]] = _draw) -> int:
    """`benches` takes the bench processes from another folder than that of the release build, and builds nothing; `draw` makes the report."""
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


def _obey(options: argparse.Namespace, arguments: Sequence[str], benches: Path | None, draw: Callable[[Path], Sequence[str]]) -> int:
    match options.verb:
        case "run":
            return _run(_request(options, arguments), benches, draw)
        case "report":
            return _report(options.dir, Front(options.focus, options.against), draw)
        case "list":
            tell = markdown if options.markdown else fairness.table if options.fairness else describe
            for line in tell(build.programs(benches or build.BENCHES), Progress()):
                _say(line)
            return Exit.OK
        case "doctor":
            return doctor.examine(options.json, _say)
        case "compare":
            return examine.compare(_pair(options), Front(options.focus, options.against), options.markdown, options.out, _say)
        case "check":
            return _against_built(options, arguments, benches) if options.against_built else check.check(_two_runs(options), _terms(options), _say)
        case "advise":
            return advise.advise(_question(options), host.ROOT / "results", benches, _say)
        case "validate":
            return examine.validate(options.file, _say)
        case "new":
            for line in scaffold.create(options.kind, options.name):
                _say(line)
            return Exit.OK
    raise Problem("say what to do: run, report, list, doctor, compare, check, advise, validate or new; --help explains", Exit.USAGE)


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

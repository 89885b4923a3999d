"""The verbs and options of scripts/crossover, and what --help says of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from driver.commands import scaffold
from driver.machine.allocator import ALLOCATORS, GLIBC
from driver.names import check_names
from driver.problem import Exit, Problem

MEASURING = {  # options of check that are for --against-built
    "--models": "only these",
    "--workloads": "only these",
    "--cells": "only these, patterns of ids",
    "--time-budget": "how long to measure (default: 4m)",
    "--out": "an empty or new folder (default: results/<time>-check)",
}
_METAVARS = {"--models": "A,B", "--workloads": "X,Y", "--cells": "GLOB", "--time-budget": "5m", "--out": "DIR"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if message.endswith("expected one argument"):
            message += ", which does not begin with -"  # argparse takes a negative number for an option
        raise Problem(f"{message}; {self.prog} --help shows what there is", Exit.USAGE)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None:
            check_names(action.dest, [value], action.choices)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Each verb refuses what it does not know by itself, since it knows what it does."""
        options, unknown = super().parse_known_args(args, namespace)
        flags = [name for name in self._option_string_actions if name.startswith("--")]
        for flag in (argument.partition("=")[0] for argument in unknown if argument.startswith("-")):
            check_names("option", [flag], flags)
        return options, unknown


def _add_front(verb: argparse.ArgumentParser, which: str) -> None:
    verb.add_argument(
        "--focus",
        default="",
        metavar="MODEL",
        help=f"show this model first, with its ratios, in headlines, maps and charts ({which})",
    )
    verb.add_argument(
        "--against",
        default="",
        metavar="MODEL",
        help="the model to compare it with (default: the best of the others, case by case)",
    )


def parser() -> argparse.ArgumentParser:
    """Of the whole command line. Raises Problem where that is not understood."""
    whole = _Parser(
        prog="crossover", description="Which concurrency model wins for this work, on this machine?", allow_abbrev=False
    )
    verbs = whole.add_subparsers(
        dest="verb", metavar="run | report | list | doctor | compare | check | advise | validate | new"
    )

    def verb(name: str, meaning: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=meaning, allow_abbrev=False)

    _add_run(verb("run", "set up, build, measure and report"))
    report = verb("report", "draw the report of a run again")
    report.add_argument("dir", type=Path, metavar="DIR")
    _add_front(report, "of the run, whatever it was made for")
    shape = verb("list", "list models and workloads").add_mutually_exclusive_group()
    shape.add_argument("--markdown", action="store_true", help="the table of models in docs/MODELS.md")
    shape.add_argument("--fairness", action="store_true", help="the table of models in docs/FAIRNESS.md")
    doctor = verb("doctor", "check whether this machine is fit to measure on, and how small a difference it can show")
    doctor.add_argument("--json", action="store_true", help="print JSON (reports/schema/doctor-1.schema.json)")
    _add_compare(verb("compare", "show two runs side by side"))
    _add_check(verb("check", "regression gate: exit code 1 if AFTER is shown to be worse than BEFORE"))
    _add_advise(verb("advise", "recommend a model for this work, from an earlier run or by measuring it"))
    validate = verb("validate", "check that a result file conforms to its schema")
    validate.add_argument(
        "file", type=Path, metavar="FILE", help="run.json, verdicts.json, samples.jsonl, or the folder of a run"
    )
    new = verb("new", "write the skeleton of a runtime or a workload, which works and is registered")
    new.add_argument("kind", choices=scaffold.KINDS, metavar="|".join(scaffold.KINDS))
    new.add_argument("name", metavar="NAME", help="name of its class and file, as in my_model")
    new.add_argument(
        "--threads",
        action="store_true",
        help="start a runtime from a pool of threads (workers, waiting, nested batches, stopping)",
    )
    return whole


def _add_run(verb: argparse.ArgumentParser) -> None:
    size = verb.add_mutually_exclusive_group()
    size.add_argument(
        "--quick",
        dest="mode",
        action="store_const",
        const="quick",
        help=(
            "serial and one representative per family, on representative sizes; finishes within 60 s of the build"
            " (default)"
        ),
    )
    size.add_argument(
        "--full",
        dest="mode",
        action="store_const",
        const="full",
        help=(
            "the representatives on every listed size, every other model on one size per workload, up to 800 cells;"
            " finishes within 10 min"
        ),
    )
    size.add_argument(
        "--exhaustive",
        dest="mode",
        action="store_const",
        const="exhaustive",
        help="every model on every size; takes a night",
    )
    verb.add_argument(
        "--models",
        metavar="A,B",
        help="measure only these models, on all sizes of the mode; scripts/crossover list shows them",
    )
    verb.add_argument("--workloads", metavar="X,Y", help="measure only these workloads")
    verb.add_argument(
        "--size",
        action="append",
        metavar="tasks=5000,wait_us=20000",
        help="measure only this size of the named workloads; missing params are as in a listed size (may be repeated)",
    )
    verb.add_argument(
        "--cells",
        action="append",
        metavar="GLOB",
        help="measure only cells whose id matches, among all sizes and models: 'mixed/*/tasks:100/*' (may be repeated)",
    )
    verb.add_argument(
        "--cores",
        type=int,
        metavar="N",
        help="how many cores a model may use (default: affinity mask and cgroup quota)",
    )
    verb.add_argument(
        "--allocator",
        choices=ALLOCATORS,
        metavar="A",
        help=f"memory allocator of the models: {', '.join(ALLOCATORS)} (default: {GLIBC})",
    )
    verb.add_argument(
        "--seed", type=int, metavar="N", help="seed for the order of the rounds (default: random, and stored)"
    )
    verb.add_argument("--time-budget", metavar="5m", help="how long to measure, without build and report")
    _add_front(verb, "even if it does not represent its family")
    verb.add_argument("--out", type=Path, metavar="DIR", help="an empty or new folder (default: results/<time>-<mode>)")
    verb.add_argument("--resume", type=Path, metavar="DIR", help="continue an interrupted run with its own options")


def _add_two_runs(verb: argparse.ArgumentParser, **optional: Any) -> None:
    verb.add_argument("before", type=Path, metavar="BEFORE", help="the results folder of a run", **optional)
    verb.add_argument("after", type=Path, metavar="AFTER", **optional)
    verb.add_argument(
        "--metrics",
        metavar="A,B",
        help="among time, cpu, latency, memory (default: what decides each workload; for check also time and CPU)",
    )
    verb.add_argument("--markdown", action="store_true", help="print Markdown tables")
    verb.add_argument("--allow-different-host", action="store_true", help="compare runs of different machines anyway")


def _add_compare(verb: argparse.ArgumentParser) -> None:
    _add_two_runs(verb)
    _add_front(verb, "of both runs")
    verb.add_argument("--out", type=Path, metavar="DIR", help="draw the two runs side by side in DIR/compare.html")


def _add_check(verb: argparse.ArgumentParser) -> None:
    _add_two_runs(verb, nargs="?")  # with --against-built there are none
    verb.add_argument(
        "--threshold", default="10%", metavar="10%", help="the change that is still allowed (default: 10%%)"
    )
    verb.add_argument(
        "--junit", type=Path, metavar="FILE", help="write the result as JUnit XML, one test case per cell"
    )
    verb.add_argument(
        "--against-built",
        metavar="REV",
        help=(
            "instead of two runs: build the programs of a git revision, and measure them and those built here in the"
            " same rounds"
        ),
    )
    for option, meaning in MEASURING.items():
        verb.add_argument(
            option,
            type=Path if option == "--out" else str,
            metavar=_METAVARS[option],
            help=f"with --against-built: {meaning}",
        )
    verb.add_argument(
        "--fail-on-inconclusive", action="store_true", help="exit code 5 if a regression is neither shown nor excluded"
    )


def _add_advise(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--tasks", required=True, metavar="N", help="how many tasks are in progress together")
    verb.add_argument("--wait", required=True, metavar="20ms", help="how long each task waits")
    verb.add_argument("--compute", required=True, metavar="200us", help="how long each task computes")
    verb.add_argument("--blocking-library", action="store_true", help="the waits are calls of a blocking library")
    verb.add_argument("--memory", metavar="512M", help="how much memory is available")
    verb.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        help="the results folder of a run (default: the newest in results/ that has such work)",
    )
    verb.add_argument(
        "--measure",
        action="store_true",
        help=(
            "measure this very work, in 30 s after the build (longer if a batch takes over 0.3 s, at most 5 min), and"
            " answer from that"
        ),
    )

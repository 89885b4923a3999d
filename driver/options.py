"""The verbs and options of scripts/crossover, and what --help says of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from driver import scaffold
from driver.allocator import ALLOCATORS, GLIBC
from driver.problem import Exit, Problem
from driver.selection import check_names

MEASURING = {  # options of check that are for --against-built
    "--models": "only these",
    "--workloads": "only these",
    "--cells": "only these, patterns of ids",
    "--time-budget": "of measuring (default: 4m)",
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


def parser() -> argparse.ArgumentParser:
    """Of the whole command line. Raises Problem where that is not understood."""
    whole = _Parser(prog="crossover", description="Which concurrency model wins for this work, on this machine?", allow_abbrev=False)
    verbs = whole.add_subparsers(dest="verb", metavar="run | report | list | doctor | compare | check | advise | validate | new")

    def verb(name: str, meaning: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=meaning, allow_abbrev=False)

    _add_run(verb("run", "set up, build, measure, report"))
    report = verb("report", "draw the report of a run again")
    report.add_argument("dir", type=Path, metavar="DIR")
    _add_front(report, "of the run, also where it was made for another one")
    shape = verb("list", "models and workloads").add_mutually_exclusive_group()
    shape.add_argument("--markdown", action="store_true", help="the table of models in the README")
    shape.add_argument("--fairness", action="store_true", help="the table of models in docs/FAIRNESS.md")
    doctor = verb("doctor", "is this machine fit to measure on, and what can it resolve?")
    doctor.add_argument("--json", action="store_true", help="for programs, as reports/schema/doctor-1.schema.json says")
    _add_compare(verb("compare", "two runs side by side"))
    _add_check(verb("check", "regression gate: exit code 1 if AFTER is shown to be worse than BEFORE"))
    _add_advise(verb("advise", "which model for this work? from what a run measured, or by measuring it"))
    validate = verb("validate", "does a result file keep to its schema?")
    validate.add_argument("file", type=Path, metavar="FILE", help="run.json, verdicts.json, samples.jsonl, or the folder of a run")
    new = verb("new", "write the skeleton of a runtime or a workload: it works as it is, and is registered")
    new.add_argument("kind", choices=scaffold.KINDS, metavar="|".join(scaffold.KINDS))
    new.add_argument("name", metavar="NAME", help="of its class and its file, as in my_model")
    return whole


def _add_run(verb: argparse.ArgumentParser) -> None:
    size = verb.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="mode", action="store_const", const="quick", help="one model of each family (those that stand for it in the verdicts) and serial on representative cells, within 60 s of the build (default)")
    size.add_argument("--full", dest="mode", action="store_const", const="full", help="those on all named cells, and all other models on one size of as many workloads as 800 cells have room for, within 10 min")
    size.add_argument("--exhaustive", dest="mode", action="store_const", const="exhaustive", help="all models on all sizes: takes a night")
    verb.add_argument("--models", metavar="A,B", help="only these, on all sizes of the list; scripts/crossover list names them")
    verb.add_argument("--workloads", metavar="X,Y", help="only these")
    verb.add_argument("--size", action="append", metavar="tasks=5000,wait_us=20000", help="only this size of the named workloads; params that are left out are as in a listed size (may be given several times)")
    verb.add_argument("--cells", action="append", metavar="GLOB", help="only cells whose id matches, of all sizes and models: 'mixed/*/tasks:100/*' (may be given several times)")
    verb.add_argument("--cores", type=int, metavar="N", help="how many cores a model may use (default: affinity mask and cgroup quota)")
    verb.add_argument("--allocator", choices=ALLOCATORS, metavar="A", help=f"of memory, for the models: {', '.join(ALLOCATORS)} (default: {GLIBC})")
    verb.add_argument("--seed", type=int, metavar="N", help="of the order of the rounds (default: drawn, and stored)")
    verb.add_argument("--time-budget", metavar="5m", help="of measuring, without build and report")
    _add_front(verb, "also where it does not stand for its family")
    verb.add_argument("--out", type=Path, metavar="DIR", help="an empty or new folder (default: results/<time>-<mode>)")
    verb.add_argument("--resume", type=Path, metavar="DIR", help="continue a run that was interrupted, as it was begun")


def _add_two_runs(verb: argparse.ArgumentParser, **optional: Any) -> None:
    verb.add_argument("before", type=Path, metavar="BEFORE", help="the results folder of a run", **optional)
    verb.add_argument("after", type=Path, metavar="AFTER", **optional)
    verb.add_argument("--metrics", metavar="A,B", help="of time, cpu, latency, memory (default: what decides each workload; check: time and CPU, too)")
    verb.add_argument("--markdown", action="store_true", help="tables as GitHub reads them")
    verb.add_argument("--allow-different-host", action="store_true", help="compare all the same")


def _add_compare(verb: argparse.ArgumentParser) -> None:
    _add_two_runs(verb)
    _add_front(verb, "of both runs")
    verb.add_argument("--out", type=Path, metavar="DIR", help="draw the two runs side by side, into DIR/compare.html")


def _add_check(verb: argparse.ArgumentParser) -> None:
    _add_two_runs(verb, nargs="?")  # with --against-built there are none
    verb.add_argument("--threshold", default="10%", metavar="10%", help="what is allowed (default: 10%%)")
    verb.add_argument("--junit", type=Path, metavar="FILE", help="write what it found as JUnit's XML, one test case for each cell")
    verb.add_argument("--against-built", metavar="REV", help="instead of two runs: build the programs of a git revision and measure them and those that are built here in the same rounds")
    for option, meaning in MEASURING.items():
        verb.add_argument(option, type=Path if option == "--out" else str, metavar=_METAVARS[option], help=f"with --against-built: {meaning}")
    verb.add_argument("--fail-on-inconclusive", action="store_true", help="exit code 5 where a regression is neither shown nor excluded")


def _add_advise(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--tasks", required=True, metavar="N", help="that are under way together")
    verb.add_argument("--wait", required=True, metavar="20ms", help="how long each of them waits")
    verb.add_argument("--compute", required=True, metavar="200us", help="how long each of them computes")
    verb.add_argument("--blocking-library", action="store_true", help="the waits are calls of a library that only blocks")
    verb.add_argument("--memory", metavar="512M", help="that there is for all of it")
    verb.add_argument("--run", type=Path, metavar="DIR", help="the results folder of a run (default: the newest in results/ that knows such work)")
    verb.add_argument("--measure", action="store_true", help="measure this very mix, in 30 s after the build (longer where a batch takes over 0.3 s, at most 5 min), and answer from that")

"""What the suite costs: pairs every native twin with the suite's cell, in one run, alternating, and prints suite / native with its interval."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from driver.bench import Bench  # noqa: E402
from driver.nursery import Nursery  # noqa: E402
from driver.problem import Exit, Interrupted, Problem  # noqa: E402
from driver.server import Server  # noqa: E402
from driver.waiting import Waiter  # noqa: E402
from reports.statistics import LEAST_ROUNDS, Series, pair  # noqa: E402

SIDES = ("suite", "native")
PATIENCE_NS = 120_000_000_000
COUNTED_PASSES = (2, 6)  # the difference leaves out what a process does beside its passes
MOST_THREADS = 12_000  # under valgrind, which allows 500 unless told: a thread for each of 10,000 tasks


def aim_of(cell: dict[str, Any]) -> float:
    """The upper bound of suite / native that the project wants to keep."""
    if cell["workload"] == "fib":
        return 1.10
    return 1.03 if cell["class"] == "io" else 1.05


@dataclass
class Pair:
    """One case of one model, and what came of it."""

    model: str
    cell: dict[str, Any]
    resources: dict[str, Any]
    iterations: int = 1
    cpu_ns: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    wall_ns: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    instructions: dict[str, float] | None = None

    @property
    def name(self) -> str:
        return f"{self.cell['workload']}/model:{self.model}/" + "/".join(f"{key}:{value}" for key, value in self.cell["params"].items())

    def request(self, iterations: int) -> dict[str, Any]:
        return {"do": "sample", "workload": self.cell["workload"], "params": self.cell["params"], "iterations": iterations}

    def row(self) -> dict[str, Any]:
        """As it stands in the JSON result."""
        return {
            **{key: self.cell[key] for key in ("workload", "class", "params", "unit", "units", "scheduled")},
            "model": self.model,
            "resources": self.resources,
            "iterations": self.iterations,
            "aim": aim_of(self.cell),
            "cpu_ns": ratio_of(self.cpu_ns),
            "wall_ns": ratio_of(self.wall_ns),
            "instructions": self.instructions,
        }


def ratio_of(values: dict[str, list[float]]) -> dict[str, Any]:
    """Per iteration, by round; ratio, low and high as the report's statistics have them, null with too few rounds."""
    # A short sample may read as no time at all, which has no ratio.
    suite, native = ({number: value for number, value in enumerate(values[side]) if value > 0} for side in SIDES)
    bounds = pair(Series(suite), Series(native))
    shown = {name: round(getattr(bounds.ratio, part), 4) if bounds else None for name, part in (("ratio", "value"), ("low", "low"), ("high", "high"))}
    return {**shown, **{side: [round(value) for value in values[side]] for side in SIDES}}


class Sides:
    """The two processes of one model: the suite's bench and the twins."""

    def __init__(self, model: str, folder: Path, options: Sequence[str], nursery: Nursery, waiter: Waiter) -> None:
        self.model = model
        native = [f"--of={model}", *options]
        self.commands = {"suite": [folder / f"bench_{model}", *options], "native": [folder / "native" / "bench_native", *native]}
        self._benches = {side: Bench(command[0], command[1:], nursery, waiter) for side, command in self.commands.items()}
        self._checksums: dict[str, str] = {}

    def open(self) -> list[Pair]:
        """The cases that both sides have."""
        hello = {}
        for side, bench in self._benches.items():
            answer = bench.start(PATIENCE_NS)
            if answer.outcome != "ok":
                raise Problem(f"{bench.program.name}: {answer.reason}")
            hello[side] = answer.body
        resources = {side: hello[side]["resources"] for side in SIDES}
        of_suite = [(cell["workload"], cell["params"]) for cell in hello["suite"]["cells"] if cell["status"] == "ok"]
        return [Pair(self.model, cell, resources) for cell in hello["native"]["cells"] if (cell["workload"], cell["params"]) in of_suite]

    def sample(self, side: str, of: Pair, iterations: int) -> dict[str, Any]:
        answer = self._benches[side].ask(of.request(iterations), PATIENCE_NS)
        if answer.outcome != "ok":
            raise Problem(f"{of.name}: {side}: {answer.outcome.replace('_', ' ')}: {answer.reason}", Exit.CELL_FAILED)
        checksum = answer.body["checksum"]
        if self._checksums.setdefault(of.name, checksum) != checksum:
            raise Problem(f"{of.name}: the outputs of suite and native differ", Exit.CELL_FAILED)
        return answer.body

    def end(self) -> None:
        for bench in self._benches.values():
            bench.end()


def calibrate(sides: Sides, of: Pair, target_ns: int) -> None:
    sides.sample("suite", of, 1)  # cold
    longest = max(sides.sample(side, of, 1)["wall_ns"] for side in SIDES)
    of.iterations = max(1, target_ns // longest)


def one_round(sides: Sides, pairs: Sequence[Pair], number: int) -> None:
    for of in pairs:
        for side in SIDES if number % 2 else reversed(SIDES):
            sample = sides.sample(side, of, of.iterations)
            of.cpu_ns[side].append((sample["cpu_user_ns"] + sample["cpu_sys_ns"]) / of.iterations)
            of.wall_ns[side].append(sample["wall_ns"] / of.iterations)


def instructions_of(command: Sequence[Any], of: Pair, passes: int) -> int:
    """Instructions in user space of one process that runs so many passes, after its gate."""
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", f"--max-threads={MOST_THREADS}"]
    request = json.dumps(of.request(passes)) + "\n"
    done = subprocess.run([*valgrind, *map(str, command), "--serve"], input=request, capture_output=True, text=True, check=False, timeout=600)
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if '"outcome":"ok"' not in done.stdout.replace(" ", "") or not counted:
        raise Problem(f"{of.name}: under valgrind: {(done.stdout + done.stderr).strip().splitlines()[-1]}", Exit.CELL_FAILED)
    return int(counted[1].replace(",", ""))


def count_instructions(sides: Sides, of: Pair) -> None:
    """On one core: what TBB's idle workers do while they look for work would drown what the work costs."""
    few, many = COUNTED_PASSES
    counts = {}
    for side, command in sides.commands.items():
        once = [*command, "--cores=1"]
        counts[side] = (instructions_of(once, of, many) - instructions_of(once, of, few)) / (many - few)
    of.instructions = {"ratio": round(counts["suite"] / counts["native"], 4), **{side: round(count) for side, count in counts.items()}}


def shown(of: Pair) -> str:
    row = of.row()
    cpu, aim = row["cpu_ns"], row["aim"]
    if cpu["ratio"] is None:
        told = f"fewer than {LEAST_ROUNDS} rounds"
    else:
        verdict = "ok" if cpu["high"] <= aim else "missed" if cpu["low"] > aim else "open"
        told = f"{cpu['ratio']:.3f} [{cpu['low']:.3f}, {cpu['high']:.3f}]  aim {aim:.2f} {verdict}"
    if of.instructions:
        told += f"  instructions {of.instructions['ratio']:.3f}"
    return f"{of.name:<88} {told}"


def with_processes(of: Pair) -> bool:
    """Valgrind counts one process; forked workers would be missing or counted twice."""
    return of.model.startswith("process_")


def measure(options: argparse.Namespace) -> Iterator[Pair]:
    folder: Path = options.build / "bench"
    nursery = Nursery()
    cores = [f"--cores={options.cores}"] if options.cores else []
    with Waiter(lambda: 60.0) as waiter:
        origin = Server("origin", folder / "origin" / "origin", nursery, waiter)
        try:
            common = [f"--origin={origin.start()}", *cores]
            for model in options.models:
                if not (folder / f"bench_{model}").is_file():  # its library, or the model itself, is not there
                    print(f"{model} is left out: bench_{model} is not built", file=sys.stderr)
                    continue
                sides = Sides(model, folder, common, nursery, waiter)
                pairs = [of for of in sides.open() if ("quick" in of.cell["sizes"] or options.full) and re.search(options.filter, of.name)]
                for of in pairs:
                    calibrate(sides, of, options.sample_ms * 1_000_000)
                for number in range(options.rounds):
                    one_round(sides, pairs, number)
                sides.end()
                for of in pairs:
                    if options.instructions and not with_processes(of):
                        count_instructions(sides, of)
                    yield of
        finally:
            origin.end()
            nursery.end_all()


def models_with_twins(build: Path) -> list[str]:
    program = build / "bench" / "native" / "bench_native"
    if not program.is_file():
        raise Problem(f"{program} is not built: cmake --build {build} --target bench_native benches")
    listed = subprocess.run([program, "--benchmark_filter=all", "--benchmark_list_tests"], capture_output=True, text=True, check=True)
    return sorted(set(re.findall(r"/native:(\w+)/", listed.stdout)))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", metavar="DIR", help="where the benches were built (default: build/release)")
    parser.add_argument("--models", type=lambda text: text.split(","), metavar="A,B", help="only these (default: all that have twins)")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only cells whose name matches")
    parser.add_argument("--full", action="store_true", help="all sizes that the twins have, not the quick ones only")
    parser.add_argument("--cores", type=int, metavar="N", help="how many cores both sides may use")
    parser.add_argument("--rounds", type=int, default=30, metavar="N")
    parser.add_argument("--sample-ms", type=int, default=60, metavar="N", help="how long a sample shall take")
    parser.add_argument("--instructions", action="store_true", help="count instructions, too, with valgrind")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the JSON result")
    options = parser.parse_args(arguments)
    try:
        with_twins = models_with_twins(options.build)
        options.models = options.models or with_twins
        if strange := set(options.models) - set(with_twins):
            raise Problem(f"{', '.join(sorted(strange))}: no native twin; there are: {', '.join(with_twins)}", Exit.USAGE)
        done = []
        begin = time.time()
        for of in measure(options):
            print(shown(of), flush=True)
            done.append(of)
        if not done:
            raise Problem(f"--filter '{options.filter}' matches no pair", Exit.NOTHING_MATCHED)
        if options.out:
            result = {"started_unix_s": round(begin), "rounds": options.rounds, "pairs": [of.row() for of in done]}
            options.out.write_text(json.dumps(result, indent=1) + "\n")
    except Problem as problem:
        print(f"overhead: {problem}", file=sys.stderr)
        return problem.code
    except (Interrupted, KeyboardInterrupt):
        return Exit.INTERRUPTED
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

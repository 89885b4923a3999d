"""A model in another language joins a run: measured beside others, with its checksums, and drawn. Argument: the folder
of the benches."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from driver.session.protocol import fault_of, fault_of_answer  # noqa: E402  (needs the path above)

BENCHES = Path(sys.argv.pop(1))
SERIAL = BENCHES / "bench_serial"
HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[2]
RUN = (
    f"import sys; from pathlib import Path; sys.path.insert(0, {str(ROOT)!r}); from driver.commands.main import main;"
    " sys.exit(main(sys.argv[2:], Path(sys.argv[1])))"
)


def joined(folder: Path) -> Path:
    """The program as bench/README.md has it installed."""
    for model in ("serial", "event_loop"):
        (folder / f"bench_{model}").symlink_to(BENCHES / f"bench_{model}")
    (folder / "bench_node").symlink_to(HERE / "node.mjs")
    return folder / "bench_node"


def answers(program: Path, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([program, "--serve"], input=text, capture_output=True, text=True, timeout=60, check=True)
    hello, *answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [
        fault_of("hello", hello),
        *(fault_of_answer(request["do"], answer) for request, answer in zip(requests, answers)),
    ] == [""] * (1 + len(requests))
    return answers


@unittest.skipUnless(shutil.which("node"), "node is not installed")
class Node(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        (self.folder / "bench").mkdir()
        self.program = joined(self.folder / "bench")

    def test_it_does_the_work_that_serial_does(self) -> None:
        for workload, params in (
            ("sum_squares", {"tasks": 8, "n": 1000}),
            ("sleepers", {"tasks": 20, "delay_us": 1000, "in_flight": 20}),
        ):
            with self.subTest(workload=workload):
                request = {"do": "sample", "workload": workload, "params": params, "iterations": 2}
                own, (serial,) = answers(self.program, request, {**request, "untimed": 1}), answers(SERIAL, request)
                for sample in own:
                    self.assertEqual(
                        [sample[key] for key in ("outcome", "units", "checksum")],
                        [serial[key] for key in ("outcome", "units", "checksum")],
                    )

    def test_it_holds_as_many_sleepers_as_the_bound_allows(self) -> None:
        (gate,) = answers(
            self.program,
            {"do": "gate", "workload": "sleepers", "params": {"tasks": 100, "delay_us": 1000, "in_flight": 10}},
        )
        self.assertEqual((gate["account"]["executions"], gate["account"]["peak_alive"]), (100, 10))

    def test_it_describes_a_size_of_no_list_as_serial_does_and_measures_it(self) -> None:
        size = {"tasks": 17, "delay_us": 300}
        described, sample = answers(
            self.program,
            {"do": "describe", "workload": "sleepers", "params": size},
            {"do": "sample", "workload": "sleepers", "params": {**size, "in_flight": 17}, "iterations": 1},
        )
        self.assertEqual(
            (described["cell"]["params"], described["cell"]["units"], sample["units"]),
            ({**size, "in_flight": 17}, 17, 17),
        )
        absurd, inexact = answers(
            self.program,
            *({"do": "describe", "workload": "sum_squares", "params": {"n": n}} for n in (10**12, 10**8)),
        )
        self.assertEqual(
            (absurd["outcome"], absurd["reason"]),
            ("usage", "n is 1000000000000: sum_squares takes from 1 to 10000000000"),
        )
        self.assertEqual(inexact["cell"]["status"], "unsupported")

    def test_a_request_that_it_does_not_know_is_answered(self) -> None:
        sums = {"do": "sample", "workload": "sum_squares", "params": {"tasks": 8, "n": 1000}, "iterations": 1}
        bad = [
            {"do": "dance"},
            {"do": "gate", "workload": "fib"},
            {**sums, "iterations": 0},
            {**sums, "untimed": -1},
            {**sums, "untimed": "1"},
        ]
        self.assertEqual([answer["outcome"] for answer in answers(self.program, *bad)], len(bad) * ["usage"])

    def test_it_stands_in_the_charts_of_a_run(self) -> None:
        out = self.folder / "out"
        arguments = [
            "run",
            "--quick",
            "--models",
            "event_loop,node",
            "--workloads",
            "sleepers,sum_squares",
            "--time-budget",
            "20s",
            "--out",
            str(out),
        ]
        done = subprocess.run(
            ["/usr/bin/python3", "-B", "-c", RUN, str(self.folder / "bench"), *arguments],
            capture_output=True,
            text=True,
            timeout=100,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        cells = json.loads((out / "run.json").read_text())["cells"]
        measured = {
            cell["workload"] for cell in cells if cell["model"] == "node" and cell["status"] == "ok" and cell["samples"]
        }
        self.assertEqual(measured, {"sleepers", "sum_squares"})
        valid = subprocess.run([ROOT / "scripts" / "crossover", "validate", out], capture_output=True, text=True)
        self.assertEqual(valid.returncode, 0, valid.stdout + valid.stderr)
        charts = [path.read_text() for path in (out / "figures").glob("forest-*-time.svg")]
        self.assertEqual([("node" in chart, "event_loop" in chart) for chart in charts], 2 * [(True, True)])


unittest.main()

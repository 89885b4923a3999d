"""All benches, also in other languages, and the bounds in reports use one number of cores. Argument: the folder of the
benches."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from statistics import median
from typing import Any

BENCHES = Path(sys.argv.pop(1))
ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from driver.machine.cores import usable_cores  # noqa: E402  (needs the path above)
from reports.cases.cases import analyse  # noqa: E402
from reports.cases.read import read_run  # noqa: E402

MODELS = ("serial", "thread_pool", "py_threads", "py_processes")
RUN = (
    f"import sys; from pathlib import Path; sys.path.insert(0, {str(ROOT)!r}); from driver.commands.main import main;"
    " sys.exit(main(sys.argv[2:], Path(sys.argv[1]), lambda folder: []))"
)


def hello_of(program: Path, *options: str) -> dict[str, Any]:
    """Empty where it says that it cannot run here."""
    done = subprocess.run(
        [program, "--serve", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    if done.returncode == 3:
        return {}
    assert done.returncode == 0, (program, done)
    hello: dict[str, Any] = json.loads(done.stdout)
    return hello


class Cores(unittest.TestCase):
    def test_every_bench_uses_what_it_is_told_and_started_by_hand_what_the_driver_works_out(self) -> None:
        # others have been laid in by hand, as node.mjs may be
        programs = sorted(program for program in BENCHES.glob("bench_*") if not program.is_symlink())
        self.assertTrue(programs)
        for program in programs:
            with self.subTest(program.name):
                told, by_hand = hello_of(program, "--cores", "1"), hello_of(program)
                self.assertEqual(
                    [hello["cores"] for hello in (told, by_hand) if hello], [1, usable_cores()][: 2 if told else 0]
                )

    def test_benches_peers_and_bounds_of_a_run_go_by_one_number(self) -> None:
        present = [name for name in MODELS if (BENCHES / f"bench_{name}").exists()]
        for cores in {1, usable_cores()}:
            with self.subTest(cores=cores), tempfile.TemporaryDirectory() as holder:
                out = Path(holder, "out")
                arguments = [
                    "run",
                    "--models",
                    ",".join(present),
                    "--cells",
                    "sum_squares/*/tasks:8/n:1000",
                    "--cores",
                    str(cores),
                    "--time-budget",
                    "30s",
                    "--out",
                    str(out),
                ]
                done = subprocess.run(
                    ["/usr/bin/python3", "-B", "-c", RUN, str(BENCHES), *arguments],
                    capture_output=True,
                    text=True,
                    timeout=300,
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                events = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
                said = {event["model"]: event["hello"]["cores"] for event in events if event["event"] == "model"}
                self.assertLessEqual(set(present), set(said))
                self.assertEqual(set(said.values()), {cores})
                analysis = analyse(read_run(out))
                self.assertEqual(analysis.run.run["cores"], cores)
                self.assertTrue(analysis.cases)
                for case in analysis.cases:
                    measured = [cell for cell in analysis.run.cells if cell.case == case.id and cell.status == "ok"]
                    least = min(median(cell.by_round("cpu").values()) for cell in measured)
                    self.assertEqual(case.bound_ns, round(least / cores), case.id)


unittest.main()

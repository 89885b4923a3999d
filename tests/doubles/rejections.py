"""Every fault of the misbehaving runtime is rejected with its own outcome and without a number, in both modes of the
bench."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from driver.session.protocol import fault_of_answer  # noqa: E402  (needs the path above)

BENCH = sys.argv.pop(1)
SUMS = ("sum_squares", {"tasks": 8, "n": 1000})
WAITS = ("sleepers", {"tasks": 20, "delay_us": 1000, "in_flight": 20})
MANY_WAITS = ("sleepers", {"tasks": 1000, "delay_us": 10000, "in_flight": 100})
CONNECTS = ("fetch_connect", {"requests": 20, "in_flight": 8, "delay_us": 1000, "bytes": 1000})
TREE = ("fib", {"n": 12})

# fault, cell, outcome, part of the reason
FAULTS = [
    ("drops an item", SUMS, "wrong", "item 7 never ran"),
    ("does nothing", SUMS, "wrong", "item 0 never ran"),
    ("does nothing", TREE, "wrong", "0 tasks, not 465"),
    ("runs an item twice", SUMS, "wrong", "item 0 ran 2 times"),
    ("returns a wrong sum", SUMS, "wrong", "sum 2 is 332833501, not 332833500"),
    ("throws", SUMS, "failed", "the queue is broken"),
    ("throws an int", SUMS, "failed", "not a std::exception"),
    ("reports an item", SUMS, "failed", "item 3: no such host"),
    ("reports a death", SUMS, "crashed", "item 3: signal 9"),
    ("passes a deadline", SUMS, "timed_out", "deadline"),
    ("is refused", SUMS, "unsupported", "(ulimit -n) is 64"),
    ("names a back end", WAITS, "wrong", "names a back end that it does not run"),
    ("hides a back end", WAITS, "wrong", "runs eventpoll"),
    ("runs more at once", MANY_WAITS, "wrong", "were alive at once, allowed are 100"),
    ("late drops an item", SUMS, "wrong", "item 7 ran 0 times in 1 iterations"),
    ("late does nothing", SUMS, "wrong", "ran 0 times in 1 iterations"),
    ("late does nothing", TREE, "wrong", "0 tasks, not 465"),
    ("late runs an item twice", SUMS, "wrong", "item 0 ran 2 times in 1 iterations"),
    # says the server, or the account where the server is slow
    ("runs more at once", CONNECTS, "wrong", "allowed are 8"),
    ("late returns a wrong sum", SUMS, "wrong", "sum 2 is 332833501, not 332833500"),
    ("late throws", SUMS, "failed", "the queue is broken"),
    ("late reports a death", SUMS, "crashed", "item 3: signal 9"),
]
# faults that end the process, or never end
FATAL = [
    ("hangs", "timed_out", "no end within "),
    ("crashes", "crashed", "signal 11"),
    ("overflows its stack", "crashed", "signal 11"),
    ("aborts", "crashed", "signal 6"),
]


def environment(fault: str) -> dict[str, str]:
    return {**os.environ, "CROSSOVER_FAULT": fault}


def name_of(cell: tuple[str, dict[str, int]]) -> str:
    return "/".join([cell[0], "model:misbehaving", *(f"{key}:{value}" for key, value in cell[1].items())])


class Serving:
    """The bench in --serve mode, its hello read."""

    def __init__(self, fault: str) -> None:
        self.child = subprocess.Popen(
            [BENCH, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(fault)
        )
        assert self.child.stdout
        self.hello = json.loads(self.child.stdout.readline())

    def ask(self, do: str, cell: tuple[str, dict[str, int]], **more: int) -> dict[str, Any] | None:
        assert self.child.stdin and self.child.stdout
        print(json.dumps({"do": do, "workload": cell[0], "params": cell[1], **more}), file=self.child.stdin, flush=True)
        line = self.child.stdout.readline()
        answer: dict[str, Any] | None = json.loads(line) if line else None
        assert answer is None or not fault_of_answer(do, answer), answer
        return answer

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.communicate()


def google(
    fault: str, cells: list[tuple[str, dict[str, int]]], *flags: str
) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit code, what was printed, what was written to the file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "out.json"
        pattern = "|".join(f"^{name_of(cell)}/" for cell in cells)
        done = subprocess.run(
            [
                BENCH,
                f"--benchmark_filter={pattern}",
                "--benchmark_min_time=0.001",
                "--benchmark_format=json",
                f"--benchmark_out={file}",
                *flags,
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(fault),
            timeout=60,
            check=False,
        )
        return done.returncode, json.loads(done.stdout), json.loads(file.read_text())


# A sanitizer makes a report of a crash and ends the process in its own way.
with Serving("") as _honest:
    SANITIZED = "sanitizers" in _honest.hello["versions"]
unless_sanitized = unittest.skipIf(SANITIZED, "crashes are the sanitizer's")
FATAL = [row for row in FATAL if not (SANITIZED and row[1] == "crashed")]


class Rejections(unittest.TestCase):
    def assert_no_number(self, row: dict[str, Any], outcome: str, reason: str) -> None:
        self.assertTrue(row.get("error_occurred"), row)
        self.assertTrue(row["error_message"].startswith(f"{outcome}: "), row)
        self.assertIn(reason, row["error_message"])
        for key in ("real_time", "cpu_time"):
            self.assertEqual(row.get(key, 0), 0)
        self.assertFalse({"items_per_second", "cpu_user_ns", "label"} & row.keys(), row)

    def test_an_honest_runtime_yields_numbers(self) -> None:
        for cell in (SUMS, WAITS, TREE):
            with self.subTest(cell=cell), Serving("") as bench:
                self.assertEqual(bench.ask("gate", cell)["outcome"], "ok")
                self.assertGreater(bench.ask("sample", cell, iterations=2)["wall_ns"], 0)
        code, printed, written = google("", [SUMS, TREE])
        self.assertEqual(code, 0)
        self.assertEqual([row.get("error_occurred") for row in printed["benchmarks"]], [None, None])
        self.assertGreater(written["benchmarks"][0]["real_time"], 0)

    def test_faults_are_told_over_the_protocol_without_a_number(self) -> None:
        for fault, cell, outcome, reason in FAULTS:
            with self.subTest(fault=fault), Serving(fault) as bench:
                gate = bench.ask("gate", cell)
                if fault.startswith("late "):
                    self.assertEqual(gate["outcome"], "ok")
                else:
                    self.assertEqual(gate["outcome"], outcome)
                    self.assertIn(reason, gate["reason"])
                sample = bench.ask("sample", cell, iterations=1)
                self.assertEqual(sample["outcome"], outcome)
                self.assertIn(reason, sample["reason"])
                self.assertEqual(sample.keys(), {"outcome", "reason"})

    def test_too_many_requests_at_once_are_seen_by_the_server_itself(self) -> None:
        """Which is slow to take them on a busy machine, so that the account may be the one that says it: then again."""
        with Serving("runs more at once") as bench:
            reasons = (bench.ask("gate", CONNECTS)["reason"] for _ in range(100))
            self.assertTrue(any("the server saw" in reason for reason in reasons))

    def test_an_item_that_one_iteration_left_out_and_another_ran_twice_is_seen(self) -> None:
        with Serving("late makes up for an item") as bench:
            self.assertEqual(bench.ask("gate", SUMS)["outcome"], "ok")
            sample = bench.ask("sample", SUMS, iterations=2)
        self.assertEqual(
            sample, {"outcome": "wrong", "reason": "item 0 ran 2 times in 2 iterations, but not once in each"}
        )

    def test_faults_are_shown_by_google_benchmark_without_a_number_and_give_exit_code_4(self) -> None:
        for fault, cell, outcome, reason in FAULTS:
            with self.subTest(fault=fault):
                code, printed, written = google(fault, [cell])
                self.assertEqual(code, 3 if fault == "is refused" else 4)
                self.assertEqual(len(printed["benchmarks"]), 1)
                reason = reason.replace("in 1 iterations", "")
                if "ran 2 times" in reason and fault.startswith("late"):
                    reason = "item 0 ran "  # once more than the iterations that Google Benchmark chose
                for output in (printed, written):
                    self.assert_no_number(output["benchmarks"][0], outcome, reason)

    def test_other_cells_are_still_measured_after_a_failed_one(self) -> None:
        code, printed, _ = google("tree does nothing", [TREE, SUMS, WAITS])
        self.assertEqual(code, 4)
        failed = {row["name"].split("/")[0]: row.get("error_occurred", False) for row in printed["benchmarks"]}
        self.assertEqual(failed, {"fib": True, "sum_squares": False, "sleepers": False})

    @unless_sanitized
    def test_a_crash_ends_the_serving_process_by_its_signal_for_the_driver_to_see(self) -> None:
        for fault, number in (
            ("crashes", signal.SIGSEGV),
            ("late crashes", signal.SIGSEGV),
            ("aborts", signal.SIGABRT),
        ):
            with self.subTest(fault=fault), Serving(fault) as bench:
                self.assertIsNone(bench.ask("sample", SUMS, iterations=1))
                self.assertEqual(bench.child.wait(10), -number)

    def test_a_hang_gives_no_answer_for_the_driver_to_end_at_its_deadline(self) -> None:
        for fault in ("hangs", "late hangs"):
            with self.subTest(fault=fault), Serving(fault) as bench:
                assert bench.child.stdin
                print(
                    json.dumps({"do": "sample", "workload": SUMS[0], "params": SUMS[1], "iterations": 1}),
                    file=bench.child.stdin,
                    flush=True,
                )
                with self.assertRaises(subprocess.TimeoutExpired):
                    bench.child.wait(0.5)

    def test_hangs_and_crashes_under_google_benchmark_get_their_row_and_spare_the_rows_before(self) -> None:
        for fault, outcome, reason in FATAL:
            with self.subTest(fault=fault):
                code, printed, written = google(f"tree {fault}", [SUMS, TREE], "--timeout", "1")
                self.assertEqual(code, 4)
                self.assertEqual(printed["benchmarks"], written["benchmarks"])
                first, second = printed["benchmarks"]
                self.assertGreater(first["real_time"], 0)
                self.assertEqual(second["name"], name_of(TREE))
                self.assert_no_number(second, outcome, reason)

    def test_a_hang_or_crash_of_the_first_or_of_a_timed_pass_gets_its_row_too(self) -> None:
        for fault, outcome, reason in FATAL[:2]:
            for prefix in ("", "late "):
                with self.subTest(fault=prefix + fault):
                    code, printed, written = google(prefix + fault, [SUMS], "--timeout", "1")
                    self.assertEqual(code, 4)
                    self.assertEqual(printed["benchmarks"], written["benchmarks"])
                    (row,) = printed["benchmarks"]
                    self.assert_no_number(row, outcome, reason)

    def test_a_model_that_cannot_start_ends_with_exit_code_3_and_one_line(self) -> None:
        for flags in (["--serve"], ["--benchmark_filter=fib"]):
            done = subprocess.run(
                [BENCH, *flags], capture_output=True, text=True, env=environment("does not start"), check=False
            )
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertEqual(done.stderr, "fork: the limit of processes (ulimit -u) is 7\n")


unittest.main()

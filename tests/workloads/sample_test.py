"""What a sample of a real model carries beside its time: latencies with their percentiles, and what the workload
counted."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from driver.session.protocol import fault_of_answer  # noqa: E402  (needs the path above)

BENCH = sys.argv.pop(1)
RATE = ("echo_at_rate", {"connections": 2, "requests": 50, "bytes": 64, "rate_per_s": 5000})
BEATS = ("responsiveness", {"tasks": 20, "steps": 300_000})


def ask(*cells: tuple[str, dict[str, int]], iterations: int = 2, untimed: int = 0) -> list[dict[str, Any]]:
    requests = [
        {"do": "sample", "workload": workload, "params": params, "iterations": iterations, "untimed": untimed}
        for workload, params in cells
    ]
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([BENCH, "--serve"], input=text, capture_output=True, text=True, timeout=60, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()[1:]]
    for answer in answers:
        assert answer["outcome"] == "ok" and not fault_of_answer("sample", answer), answer
    return answers


class Latencies(unittest.TestCase):
    def assert_histogram(self, buckets: list[list[int]]) -> None:
        largest = [ns for ns, _ in buckets]
        self.assertEqual(largest, sorted(set(largest)))
        self.assertTrue(all(count > 0 for _, count in buckets), buckets)

    def test_each_request_of_the_load_generator_is_counted_once_per_sample(self) -> None:
        closed = ("echo", {"connections": 2, "requests": 50, "bytes": 64})
        for sample in (*ask(RATE, RATE, closed), *ask(RATE, closed, untimed=1)):
            for kind in ("intended", "service"):
                self.assert_histogram(sample["latency"][kind])
                self.assertEqual(sum(count for _, count in sample["latency"][kind]), sample["units"], kind)
            self.assertLessEqual(sample["latency"]["service"][-1][0], sample["wall_ns"])
            self.assertGreaterEqual(sample["latency"]["intended"][-1][0], sample["latency"]["service"][-1][0])

    def test_an_open_loop_comes_at_the_pace_that_is_asked_for_and_at_pace_0_as_fast_as_it_is_answered(self) -> None:
        slow, fast, again = ask(*((RATE[0], {**RATE[1], "rate_per_s": per_s}) for per_s in (100, 0, 100)), iterations=1)
        self.assertGreaterEqual(slow["wall_ns"], 49 / 100 * 1e9)
        self.assertLess(fast["wall_ns"], slow["wall_ns"])
        self.assertEqual({slow["checksum"], fast["checksum"]}, {again["checksum"]})
        self.assertEqual(fast["latency"]["intended"], fast["latency"]["service"])

    def test_a_heartbeat_on_a_thread_that_computes_is_late_and_all_beats_that_were_due_count(self) -> None:
        (sample,) = ask(BEATS, iterations=1)
        intended = sample["latency"]["intended"]
        self.assert_histogram(intended)
        self.assertGreater(intended[-1][0], 1_000_000)
        beats = sum(count for _, count in intended)
        self.assertGreaterEqual(beats, sum(count for _, count in sample["latency"]["service"]))
        self.assertLessEqual(beats, sample["wall_ns"] / 1e6 + 1)
        self.assertGreaterEqual(beats, 0.9 * intended[-1][0] / 1e6 - 1, "while one was late, others were due")

    def test_workloads_without_requests_of_their_own_carry_none(self) -> None:
        for sample in ask(
            ("sleepers", {"tasks": 20, "delay_us": 1000, "in_flight": 20}), ("sum_squares", {"tasks": 8, "n": 1000})
        ):
            self.assertNotIn("latency", sample)
            self.assertNotIn("notes", sample)

    def test_google_benchmark_shows_those_percentiles_that_the_count_carries(self) -> None:
        name = "echo_at_rate/model:[a-z_]*/connections:16/requests:1000/bytes:64/rate_per_s:5000/"
        flags = [f"--benchmark_filter=^{name}", "--benchmark_min_time=0.001", "--benchmark_format=json"]
        (row,) = json.loads(
            subprocess.run([BENCH, *flags], capture_output=True, text=True, timeout=60, check=True).stdout
        )["benchmarks"]
        self.assertLess(0, row["p50_ns"])
        self.assertLessEqual(row["p50_ns"], row["p99_ns"])
        self.assertLessEqual(row["p99_ns"], row["max_ns"])
        self.assertNotIn("p999_ns", row, "ten of 1,000 requests lie beyond the 99th percentile, one beyond the 99.9th")


class Notes(unittest.TestCase):
    def test_lessons_tell_what_was_cut_failed_and_wasted(self) -> None:
        group = {"tasks": 100, "failing": 12, "delay_us": 2000, "in_flight": 20}
        first, calls, race, gather, task_group = ask(
            ("first_result", {"sources": 20, "failing": 15, "delay_us": 5000}),
            ("timeouts", {"calls": 8, "stalled_every": 4, "delay_us": 1000, "deadline_us": 300_000, "in_flight": 8}),
            ("race", {"races": 3, "racers": 2, "delay_us": 1000}),
            ("fail_fast", {**group, "task_group": 0}),
            ("fail_fast", {**group, "task_group": 1}),
        )
        self.assertEqual(first["notes"], {"failed": 15, "cut": 4})
        self.assertEqual(calls["notes"], {"cut": 2})
        self.assertEqual(race["notes"], {"cut": 3})
        self.assertGreaterEqual(gather["notes"]["wasted"], 80)
        self.assertEqual(gather["notes"]["cut"], 0)
        self.assertLess(task_group["notes"]["wasted"], 20)

    def test_waiting_tasks_tell_how_long_all_took_to_start_and_to_end(self) -> None:
        (sample,) = ask(("idle_tasks", {"tasks": 1000, "hold_us": 20_000}), iterations=1)
        self.assertEqual(sample["notes"].keys(), {"start_ns", "end_ns"})
        self.assertGreater(sample["notes"]["start_ns"], 0)
        self.assertGreater(sample["notes"]["end_ns"], 0)
        self.assertLess(sum(sample["notes"].values()), sample["wall_ns"])


if __name__ == "__main__":
    unittest.main()

"""A real bench binary as its users see it: flags, exit codes, the JSON of Google Benchmark, and the --serve
protocol."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from driver.session.protocol import fault_of, fault_of_answer  # noqa: E402  (needs the path above)

BENCH = sys.argv.pop(1)
SUMS = {"workload": "sum_squares", "params": {"tasks": 8, "n": 1000}}
NAME = "sum_squares/model:serial/tasks:8/n:1000"


def run(*flags: str, timeout: float = 60, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BENCH, *flags], capture_output=True, text=True, timeout=timeout, check=False, **more)


def no_constant(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


def google(*flags: str) -> dict[str, Any]:
    done = run("--benchmark_format=json", "--benchmark_min_time=0.001", *flags)
    assert done.returncode == 0, done
    document: dict[str, Any] = json.loads(done.stdout, parse_constant=no_constant)
    return document


class Flags(unittest.TestCase):
    def assert_refused(self, code: int, names: str, *flags: str, **more: Any) -> None:
        done = run(*flags, **more)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done)
        self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
        self.assertIn(names, done.stderr)

    def test_an_unknown_flag_is_named_with_the_list_of_flags(self) -> None:
        for flag in ("--serv", "--benchmark_fliter=x", "-x", "word"):
            with self.subTest(flag):
                self.assert_refused(2, flag, flag)
                self.assert_refused(2, "--benchmark_{list_tests", flag)

    def test_values_that_cannot_be_are_refused(self) -> None:
        for flags in (
            ["--cores", "0"],
            ["--cores", "two"],
            ["--cores=-1"],
            ["--cores="],
            ["--timeout=1.5"],
            ["--origin=https://127.0.0.1/"],
            ["--origin", "localhost:1"],
            ["--benchmark_filter=("],
            ["--benchmark_repetitions=-1"],
            ["--benchmark_repetitions=0"],
            ["--benchmark_min_time=nan"],
            ["--benchmark_min_time=-1"],
            ["--benchmark_min_warmup_time=soon"],
            ["--benchmark_format=xml"],
            ["--benchmark_out_format=xml"],
        ):
            with self.subTest(flags):
                self.assert_refused(2, flags[0].split("_")[-1].split("=")[0], *flags)
        self.assert_refused(2, "needs a value", "--cores")
        self.assert_refused(2, "time_unit is one of", "--benchmark_time_unit=weeks")
        self.assertEqual(run("--benchmark_min_time=long").returncode, 2)

    def test_a_time_may_have_its_unit_whichever_version_of_google_benchmark_reads_it(self) -> None:
        for flags in (
            ("--benchmark_min_time=0.001s",),
            ("--benchmark_min_time=0.001",),
            ("--benchmark_min_warmup_time=0.001s", "--benchmark_min_time=0.001s"),
        ):
            with self.subTest(flags):
                done = run(*flags, f"--benchmark_filter=^{NAME}/")
                self.assertEqual((done.returncode, done.stderr.count("min_time")), (0, 0), done.stderr)
        for wrong in ("0.5ss", "s", "3x", "0.5ms"):
            with self.subTest(wrong):
                self.assert_refused(2, "min_time", f"--benchmark_min_time={wrong}")

    def test_a_filter_that_matches_nothing_is_exit_code_6(self) -> None:
        self.assert_refused(6, "no_such_thing", "--benchmark_filter=no_such_thing")
        self.assert_refused(6, "no_such_thing", "--benchmark_filter=no_such_thing", "--benchmark_list_tests")

    def test_a_file_that_cannot_be_written_is_exit_code_3(self) -> None:
        self.assert_refused(3, "/no/such/folder/file", "--benchmark_out=/no/such/folder/file")

    def test_results_that_find_no_room_are_exit_code_3(self) -> None:
        quick = ("--benchmark_min_time=0.001", f"--benchmark_filter=^{NAME}/")
        done = run(*quick, "--benchmark_out=/dev/full")
        self.assertEqual(
            (done.returncode, done.stderr.splitlines()[-1]),
            (3, "cannot write --benchmark_out=/dev/full: make room, or write elsewhere"),
        )
        for flags in (quick, ("--benchmark_list_tests",), ("--help",)):
            with self.subTest(flags), open("/dev/full", "w") as full:
                full_out = subprocess.run(
                    [BENCH, *flags], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
                )
                self.assertEqual(full_out.returncode, 3)
                self.assertRegex(
                    full_out.stderr.splitlines()[-1], r"^cannot write .*standard output: make room, or write elsewhere$"
                )

    def test_help_names_every_flag_that_google_benchmark_has_and_the_exit_codes(self) -> None:
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for flag in (
            "--serve",
            "--origin",
            "--cores",
            "--timeout",
            "--benchmark_filter",
            "--benchmark_time_unit",
            "Exit codes",
        ):
            self.assertIn(flag, done.stdout)

    def test_flags_may_come_from_the_environment_as_google_benchmark_has_it(self) -> None:
        done = run(env={**os.environ, "BENCHMARK_FILTER": "no_such_thing"})
        self.assertEqual(done.returncode, 6)

    def test_a_file_that_the_environment_names_is_left_alone_where_nothing_is_measured(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "kept"
            kept.write_text("mine")
            hostile = {
                **os.environ,
                "BENCHMARK_OUT": str(kept),
                "BENCHMARK_FORMAT": "poem",
                "BENCHMARK_REPETITIONS": "-1",
                "BENCHMARK_FILTER": "(",
            }
            for flags in (["--serve"], ["--help"]):
                done = run(*flags, env=hostile, stdin=subprocess.DEVNULL)
                self.assertEqual((done.returncode, done.stderr, kept.read_text()), (0, "", "mine"), flags)
            for flags in (["--benchmark_list_tests"], ["--benchmark_list_tests", f"--benchmark_out={kept}"]):
                done = run(*flags, env={**os.environ, "BENCHMARK_OUT": str(kept)})
                self.assertEqual((done.returncode, kept.read_text()), (0, "mine"), done.stderr)

    def test_serving_takes_no_flag_of_google_benchmark(self) -> None:
        self.assert_refused(2, "not known beside --serve: --benchmark_filter=fib", "--serve", "--benchmark_filter=fib")

    def test_listing_shows_every_cell_and_a_name_that_can_be_given_as_a_filter(self) -> None:
        names = run("--benchmark_list_tests").stdout.split()
        self.assertIn(f"{NAME}/real_time", names)
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(
            run("--benchmark_list_tests", f"--benchmark_filter=^{NAME}/").stdout.split(), [f"{NAME}/real_time"]
        )


class GoogleBenchmark(unittest.TestCase):
    def test_a_row_has_real_time_and_the_cpu_time_of_the_process_tree(self) -> None:
        (row,) = google(f"--benchmark_filter=^{NAME}/")["benchmarks"]
        self.assertEqual(row["name"], f"{NAME}/real_time")
        self.assertGreater(row["real_time"], 0)
        self.assertAlmostEqual(
            row["cpu_time"], row["cpu_user_ns"] + row["cpu_sys_ns"], delta=0.01 * row["cpu_time"] + 1
        )
        self.assertRegex(row["label"], r"^checksum:[0-9a-f]{16}$")
        for key in ("voluntary_switches", "involuntary_switches", "peak_rss_bytes", "pss_bytes", "items_per_second"):
            self.assertIn(key, row)

    def test_repetitions_and_their_statistics_are_json_without_nan(self) -> None:
        rows = google(f"--benchmark_filter=^{NAME}/", "--benchmark_repetitions=3")["benchmarks"]
        self.assertEqual([row.get("aggregate_name") for row in rows], [None] * 3 + ["mean", "median", "stddev", "cv"])
        for row in rows[3:5]:
            self.assertAlmostEqual(row["cpu_time"], row["cpu_user_ns"] + row["cpu_sys_ns"], delta=0.5 * row["cpu_time"])

    def test_iteration_counts_and_interleaving_are_google_benchmarks(self) -> None:
        rows = google(
            "--benchmark_filter=(sum_squares|fib)/.*:(8|12)/",
            "--benchmark_repetitions=2",
            "--benchmark_enable_random_interleaving=true",
        )
        self.assertEqual(len([row for row in rows["benchmarks"] if row["run_type"] == "iteration"]) % 2, 0)

    def test_the_context_tells_our_build_and_not_only_that_of_the_library(self) -> None:
        context = google(f"--benchmark_filter=^{NAME}/")["context"]
        self.assertEqual(context["model"], "serial")
        for key in (
            "build_type",
            "compiler",
            "flags",
            "benchmark",
            "boost",
            "liburing",
            "nlohmann_json",
            "start_up_ns",
        ):
            self.assertTrue(context[key], key)

    def test_the_debug_warning_about_the_library_is_not_shown(self) -> None:
        done = run(f"--benchmark_filter=^{NAME}/", "--benchmark_min_time=0.001")
        self.assertNotIn("built as DEBUG", done.stderr)
        self.assertIn("Run on (", done.stderr)

    def test_unsupported_cells_are_shown_with_their_reason_and_cost_no_exit_code(self) -> None:
        flags = ("--benchmark_filter=^producer_consumer/", "--benchmark_min_time=0.001")
        done = run(*flags)
        self.assertEqual(done.returncode, 0)
        self.assertIn("unsupported: needs can_queue: one item at a time", done.stdout)
        self.assertNotIn("ERROR", done.stdout)
        for row in google(*flags)["benchmarks"]:
            self.assertTrue(row["error_occurred"])
            self.assertTrue(row["error_message"].startswith("unsupported: "))

    def test_a_cell_beyond_the_timeout_is_projected_and_not_run(self) -> None:
        begin = time.monotonic()
        done = run("--benchmark_filter=sleepers/.*tasks:100/delay_us:100000/", "--timeout=5")
        self.assertEqual(done.returncode, 0)
        self.assertIn("projected: takes at least 10 s", done.stdout)
        self.assertLess(time.monotonic() - begin, 5)

    def test_csv_and_console_files_can_be_written(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for form, expected in (
                ("csv", f'"{NAME}/real_time",'),
                ("console", f"{NAME}/real_time "),
                ("json", f'"name": "{NAME}/real_time"'),
            ):
                file = Path(folder) / form
                run(
                    f"--benchmark_filter=^{NAME}/",
                    "--benchmark_min_time=0.001",
                    f"--benchmark_out={file}",
                    f"--benchmark_out_format={form}",
                )
                self.assertIn(expected, file.read_text())


class Serving(unittest.TestCase):
    def setUp(self) -> None:
        self.child = subprocess.Popen(
            [BENCH, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.child.stdin and self.child.stdout
        self.out, self.input = self.child.stdout, self.child.stdin
        self.hello = json.loads(self.out.readline(), parse_constant=no_constant)
        self.assertEqual(fault_of("hello", self.hello), "")

    def tearDown(self) -> None:
        try:
            self.child.communicate(timeout=60)  # the end of its input ends it
        finally:
            self.child.kill()

    def send(self, line: bytes) -> dict[str, Any]:
        self.input.write(line + b"\n")
        self.input.flush()
        answer: dict[str, Any] = json.loads(self.out.readline(), parse_constant=no_constant)
        return answer

    def ask(self, **request: Any) -> dict[str, Any]:
        answer = self.send(json.dumps(request).encode())
        self.assertEqual((fault_of("request", request), fault_of_answer(request["do"], answer)), ("", ""))
        return answer

    def fetched_from_storage(self) -> int:
        """Bytes that the kernel fetched for the bench since it began; what the page cache had is not among them."""
        accounted = Path(f"/proc/{self.child.pid}/io").read_text()
        return int(re.search(r"^read_bytes: (\d+)$", accounted, re.MULTILINE)[1])

    def test_hello_says_who_and_what_can_be_measured(self) -> None:
        self.assertEqual(
            (self.hello["protocol"], self.hello["model"], self.hello["pid"]), (1, "serial", self.child.pid)
        )
        self.assertEqual(self.hello["verbs"]["can_sleep"], "")
        self.assertTrue(self.hello["verbs"]["can_queue"])
        for cell in self.hello["cells"]:
            self.assertEqual(cell["status"] == "unsupported", bool(cell["reason"]))
            self.assertIn(cell["sizes"], ([], ["full"], ["quick", "full"]))
            self.assertGreater(cell.get("least_ns", 1 << 62), cell.get("bound_ns", 0))

    def test_a_sample_owes_what_hello_says(self) -> None:
        cell = next(cell for cell in self.hello["cells"] if {key: cell[key] for key in SUMS} == SUMS)
        gate = self.ask(do="gate", **SUMS)
        self.assertEqual(gate["account"]["executions"], 8)
        self.assertNotIn("bare_ns", gate, "serial tells the bound of what computes")
        sample = self.ask(do="sample", **SUMS, iterations=3)
        self.assertEqual((sample["outcome"], sample["iterations"], sample["units"]), ("ok", 3, 3 * cell["units"]))
        self.assertLess(abs(sample["start_ns"] - time.monotonic_ns()), 10e9)
        again = self.ask(do="sample", **SUMS, iterations=1)
        self.assertEqual(again["checksum"], sample["checksum"])

    def test_an_untimed_pass_counts_nowhere(self) -> None:
        cold, warm = (self.ask(do="sample", **SUMS, iterations=3, untimed=untimed) for untimed in (0, 1))
        self.assertEqual(
            [warm[key] for key in ("outcome", "iterations", "units", "checksum")],
            [cold[key] for key in ("outcome", "iterations", "units", "checksum")],
        )
        waits = {"workload": "sleepers", "params": {"tasks": 20, "delay_us": 1000, "in_flight": 20}}
        begin = time.monotonic_ns()
        sample = self.ask(do="sample", **waits, iterations=1, untimed=2)
        took = time.monotonic_ns() - begin
        self.assertGreaterEqual(took - sample["wall_ns"], 2 * 20 * 1_000_000, "they are run")
        self.assertGreaterEqual(sample["start_ns"] - begin, 2 * 20 * 1_000_000, "before the timed ones")

    def test_the_gate_measures_a_bound_for_what_only_coordinates(self) -> None:
        spawn = {"workload": "spawn", "params": {"tasks": 10_000}}
        gate, sample = self.ask(do="gate", **spawn), self.ask(do="sample", **spawn, iterations=1)
        self.assertGreater(gate["bare_ns"], 1_000, "10,000 calls")
        self.assertGreater(sample["wall_ns"], gate["bare_ns"])

    def test_a_sample_passes_the_gate_by_itself(self) -> None:
        self.assertEqual(self.ask(do="sample", **SUMS, iterations=1)["outcome"], "ok")

    def test_times_are_those_of_the_waits(self) -> None:
        waits = {"workload": "sleepers", "params": {"tasks": 20, "delay_us": 1000, "in_flight": 20}}
        sample = self.ask(do="sample", **waits, iterations=2)
        self.assertGreaterEqual(sample["wall_ns"], 2 * 20 * 1_000_000)
        self.assertGreaterEqual(
            sample["voluntary_switches"], 20, "some are over before the thread that was kept from a core begins to wait"
        )

    def test_cold_files_are_read_from_below_the_page_cache_where_that_is_possible(self) -> None:
        cold = {"workload": "read_files_cold", "params": {"files": 20, "bytes": 1000, "in_flight": 4}}
        gate = self.ask(do="gate", **cold)
        if gate["outcome"] == "unsupported":
            self.assertIn("set TMPDIR to a folder on a disk", gate["reason"])
            self.skipTest(gate["reason"])
        before = self.fetched_from_storage()
        answer = self.ask(do="sample", **cold, iterations=3)
        self.assertEqual((answer["outcome"], answer["units"]), ("ok", 60), answer)
        self.assertGreaterEqual(self.fetched_from_storage() - before, 60 * 1000, "every read of every pass")

    def test_an_unsupported_cell_is_answered_with_its_reason(self) -> None:
        cell = next(cell for cell in self.hello["cells"] if cell["status"] == "unsupported")
        answer = self.ask(do="sample", workload=cell["workload"], params=cell["params"], iterations=1)
        self.assertEqual(answer, {"outcome": "unsupported", "reason": cell["reason"]})

    def test_what_is_no_request_is_answered_and_the_next_one_still_works(self) -> None:
        deep = b"[" * 100_000
        bad = [
            b"",
            b"gate",
            b"{",
            b"null",
            b"[]",
            b"7",
            b'"quit"',
            b"{}",
            b'{"do": 1}',
            b'{"do": "dance"}',
            b"\xff\xfe",
            b"\0",
            deep,
            deep + b"]" * 100_000,
        ]
        params = [
            None,
            {},
            [],
            {"tasks": 8},
            {"tasks": 8, "n": 1000, "m": 1},
            {"tasks": "8", "n": 1000},
            {"tasks": -8, "n": 1000},
            {"tasks": 8.0, "n": 1000},
        ]
        bad += [json.dumps({"do": "gate", "workload": "sum_squares", "params": p}).encode() for p in params]
        bad += [
            json.dumps({"do": "gate", "workload": w, "params": SUMS["params"]}).encode()
            for w in (None, 1, "", "sum", "naïve")
        ]
        bad += [
            json.dumps({"do": "sample", **SUMS, **more}).encode()
            for more in (
                {},
                {"iterations": 0},
                {"iterations": -1},
                {"iterations": 1.5},
                {"iterations": "1"},
                {"iterations": 1 << 70},
            )
        ]
        bad += [
            json.dumps({"do": "sample", **SUMS, "iterations": 1, "untimed": untimed}).encode()
            for untimed in (-1, 0.5, "1", None, True, [], 1 << 70)
        ]
        for line in bad:
            with self.subTest(line[:80]):
                answer = self.send(line)
                self.assertEqual((answer["outcome"], fault_of("failure", answer)), ("usage", ""))
                self.assertTrue(answer["reason"])
        self.assertEqual(self.ask(do="gate", **SUMS)["outcome"], "ok")

    def test_quit_and_end_of_input_end_it_silently(self) -> None:
        out, _ = self.child.communicate(b'{"do": "quit"}\n', timeout=5)
        self.assertEqual((self.child.returncode, out), (0, b""))
        self.setUp()
        out, _ = self.child.communicate(b"", timeout=5)
        self.assertEqual((self.child.returncode, out), (0, b""))

    def test_the_last_line_needs_no_end(self) -> None:
        out, _ = self.child.communicate(json.dumps({"do": "gate", **SUMS}).encode(), timeout=5)
        self.assertEqual(json.loads(out)["outcome"], "ok")

    def test_a_driver_that_has_gone_ends_it(self) -> None:
        self.out.close()
        self.input.write(json.dumps({"do": "gate", **SUMS}).encode() + b"\n")
        self.input.flush()
        self.assertEqual(self.child.wait(5), 0)
        self.child.stdout = None

    def test_waiting_for_a_request_uses_no_cpu(self) -> None:
        def ticks() -> int:
            fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        self.ask(do="sample", **SUMS, iterations=1)
        before = ticks()
        time.sleep(0.5)
        self.assertLessEqual(ticks() - before, 1)
        state = re.search(r"State:\s+(\S)", Path(f"/proc/{self.child.pid}/status").read_text())
        assert state
        self.assertEqual(state[1], "S")

    def test_fifty_fetches_back_to_back_exhaust_neither_ports_nor_descriptors(self) -> None:
        fetch = next(cell for cell in self.hello["cells"] if cell["workload"] == "fetch")
        descriptors = Path(f"/proc/{self.child.pid}/fd")
        for number in range(50):
            sample = self.ask(do="sample", workload="fetch", params=fetch["params"], iterations=1)
            self.assertEqual(sample["outcome"], "ok", sample)
            self.assertGreater(sample["origin_cpu_ns"], 0)
            if number == 0:
                after_first = len(list(descriptors.iterdir()))
        self.assertEqual(len(list(descriptors.iterdir())), after_first)

    def test_the_origin_that_it_started_ends_with_it(self) -> None:
        fetch = next(cell for cell in self.hello["cells"] if cell["workload"] == "fetch")
        self.ask(do="sample", workload="fetch", params=fetch["params"], iterations=1)
        (child,) = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        self.child.kill()
        self.child.wait()
        deadline = time.monotonic() + 5
        while Path(f"/proc/{child}/exe").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse(Path(f"/proc/{child}/exe").exists())


unittest.main()

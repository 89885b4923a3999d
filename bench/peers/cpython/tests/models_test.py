"""Tests that the CPython models have the same cells, account and checksums as a C++ model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from driver.session.protocol import fault_of, fault_of_answer  # noqa: E402  (needs the path above)
from reports.analysis.claims import points  # noqa: E402

BENCHES = Path(sys.argv.pop(1))
MODELS = ("py_asyncio", "py_uvloop", "py_threads", "py_processes")
WORKLOADS = (
    "sleepers",
    "fetch",
    "sum_squares",
    "granularity",
    "mixed",
    "producer_consumer",
    "ping_pong",
    "spawn",
    "responsiveness",
    "idle_tasks",
)


class Bench:
    def __init__(self, model: str, *arguments: str) -> None:
        self.child = subprocess.Popen(
            [BENCHES / f"bench_{model}", "--serve", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.hello = self._read()
        assert not fault_of("hello", self.hello), fault_of("hello", self.hello)

    def ask(self, cell: dict[str, Any], do: str, **more: Any) -> dict[str, Any]:
        return self.say({"do": do, "workload": cell["workload"], "params": cell["params"], **more})

    def say(self, request: Any) -> dict[str, Any]:
        assert self.child.stdin
        self.child.stdin.write(json.dumps(request) + "\n")
        self.child.stdin.flush()
        answer = self._read()
        fault = fault_of_answer(str(request["do"]) if isinstance(request, dict) else "", answer)
        assert not fault, fault
        return answer

    def smallest(self) -> dict[str, dict[str, Any]]:
        """The first size of each workload of the CPython models: the one that its contract test runs."""
        cells: dict[str, dict[str, Any]] = {}
        for cell in self.hello["cells"]:
            if cell["workload"] in WORKLOADS:
                cells.setdefault(cell["workload"], cell)
        return cells

    def end(self) -> tuple[int, str]:
        """Exit code and what was said on standard error."""
        _, errors = self.child.communicate(timeout=60)
        return self.child.returncode, errors

    def _read(self) -> dict[str, Any]:
        assert self.child.stdout
        line = self.child.stdout.readline()
        if not line:
            raise AssertionError(self.end())
        answer: dict[str, Any] = json.loads(line)
        return answer


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Models(unittest.TestCase):
    origin: subprocess.Popen[str]
    url: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.origin = subprocess.Popen(
            [BENCHES / "origin" / "origin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert cls.origin.stdout
        cls.url = cls.origin.stdout.readline().strip()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.origin.communicate(timeout=30)

    def opened(self, model: str, *arguments: str) -> Bench:
        bench = Bench(model, "--origin", self.url, *arguments)
        self.addCleanup(bench.child.communicate)
        return bench

    def test_every_model_does_the_work_that_a_compiled_model_does(self) -> None:
        compiled = self.opened("event_loop")
        owed = {name: compiled.ask(cell, "sample", iterations=1) for name, cell in compiled.smallest().items()}
        gates = {
            name: compiled.ask(cell, "gate")["account"]["executions"] for name, cell in compiled.smallest().items()
        }
        self.assertEqual(set(owed), set(WORKLOADS))
        for model in MODELS:
            bench = self.opened(model)
            for name, cell in bench.smallest().items():
                with self.subTest(model=model, workload=name):
                    self.assertEqual(cell["status"], "ok")
                    gate = bench.ask(cell, "gate")
                    self.assertEqual(gate["outcome"], "ok", gate)
                    self.assertEqual(gate["account"]["executions"], gates[name])
                    sample = bench.ask(cell, "sample", iterations=2)
                    self.assertEqual(sample["outcome"], "ok", sample)
                    self.assertEqual(sample["checksum"], owed[name]["checksum"])
                    self.assertEqual(sample["units"], 2 * cell["units"])
                    self.assertGreaterEqual(sample["wall_ns"], 2 * cell.get("bound_ns", 0))
                    self.assertGreater(sample["cpu_user_ns"] + sample["cpu_sys_ns"], 0)
                    self.assertLessEqual(set(owed[name]), set(sample))
                    self.assertEqual(set(owed[name].get("notes", {})), set(sample.get("notes", {})))

    def test_an_untimed_pass_counts_nowhere(self) -> None:
        for model in MODELS:
            bench = self.opened(model)
            for name, cell in bench.smallest().items():
                with self.subTest(model=model, workload=name):
                    cold, warm = (bench.ask(cell, "sample", iterations=2, untimed=untimed) for untimed in (0, 1))
                    self.assertEqual(
                        [warm[key] for key in ("outcome", "iterations", "units", "checksum")],
                        [cold[key] for key in ("outcome", "iterations", "units", "checksum")],
                    )
                    self.assertEqual(set(warm), set(cold))

    def test_beats_of_an_untimed_pass_are_not_among_the_latencies(self) -> None:
        for model in MODELS:
            with self.subTest(model):
                bench = self.opened(model)
                sample = bench.ask(bench.smallest()["responsiveness"], "sample", iterations=1, untimed=3)
                beats = sum(count for _, count in sample["latency"]["intended"])
                self.assertLessEqual(beats, sample["wall_ns"] / 1e6 + 1)

    def test_the_cells_are_those_of_the_compiled_models(self) -> None:
        keys = (
            "workload",
            "class",
            "question",
            "params",
            "sizes",
            "metric",
            "unit",
            "units",
            "scheduled",
            "bound",
            "bound_ns",
        )
        rows = [
            {key: cell.get(key) for key in keys}
            for cell in self.opened("event_loop").hello["cells"]
            if cell["workload"] in WORKLOADS
        ]
        for model in MODELS:
            with self.subTest(model):
                self.assertEqual(
                    [{key: cell.get(key) for key in keys} for cell in self.opened(model).hello["cells"]], rows
                )

    def test_the_full_list_has_every_size_by_which_a_claim_is_judged(self) -> None:
        cells = [cell for cell in self.opened("event_loop").hello["cells"] if "full" in cell["sizes"]]
        for point in points({}):
            with self.subTest(point.named):
                self.assertTrue(
                    any(
                        cell["workload"] == point.workload and point.params.items() <= cell["params"].items()
                        for cell in cells
                    )
                )

    def test_the_least_time_of_an_interpreted_loop_is_told(self) -> None:
        large = {"tasks": 16, "n": 10_000_000}
        for model, parallel in (("py_threads", 1), ("py_processes", 2)):
            hello = self.opened(model, "--cores", str(min(parallel, len(os.sched_getaffinity(0))))).hello
            cell = next(
                cell for cell in hello["cells"] if cell["workload"] == "sum_squares" and cell["params"] == large
            )
            self.assertGreaterEqual(cell["least_ns"], 16 * 10_000_000 * 10 // parallel)

    def test_hello_names_the_python_that_runs(self) -> None:
        for model in MODELS:
            hello = self.opened(model).hello
            self.assertEqual((hello["model"], hello["family"], hello["protocol"]), (model, "peer", 1))
            self.assertRegex(hello["versions"]["python"], r"^CPython 3\.\d+\.\d+")
        self.assertIn("uvloop", self.opened("py_uvloop").hello["versions"])

    def test_a_gate_counts_who_ran_the_items(self) -> None:
        mixed = {"workload": "mixed", "params": {"tasks": 20, "wait_us": 1000, "steps": 1000, "in_flight": 20}}
        seen = {model: self.opened(model).ask(mixed, "gate")["account"] for model in MODELS}
        self.assertEqual({model: account["executions"] for model, account in seen.items()}, dict.fromkeys(MODELS, 20))
        self.assertEqual((seen["py_asyncio"]["threads"], seen["py_asyncio"]["kernel_objects"]), (1, ["eventpoll"]))
        self.assertEqual((seen["py_threads"]["processes"], seen["py_threads"]["kernel_objects"]), (1, []))
        self.assertGreater(seen["py_threads"]["threads"], 1)
        self.assertGreater(seen["py_processes"]["processes"], 1)

    def test_no_more_items_are_alive_than_the_workload_allows(self) -> None:
        limited = {"workload": "sleepers", "params": {"tasks": 1000, "delay_us": 10000, "in_flight": 100}}
        for model in MODELS:
            with self.subTest(model):
                account = self.opened(model).ask(limited, "gate")["account"]
                self.assertEqual(account["executions"], 1000)
                self.assertLessEqual(account["peak_alive"], 100)

    def test_the_heartbeat_tells_how_late_it_was(self) -> None:
        for model in MODELS:
            bench = self.opened(model)
            latency = bench.ask(bench.smallest()["responsiveness"], "sample", iterations=3)["latency"]
            for kind in ("intended", "service"):
                uppers = [upper for upper, _ in latency[kind]]
                self.assertEqual(uppers, sorted(set(uppers)))
                self.assertGreaterEqual(sum(count for _, count in latency[kind]), 3)

    def test_what_a_model_cannot_hold_is_not_supported(self) -> None:
        bench = self.opened("py_processes")
        cell = next(
            cell
            for cell in bench.hello["cells"]
            if cell["workload"] == "idle_tasks" and cell["params"]["tasks"] == 1000
        )
        self.assertEqual((cell["status"], cell["reason"]), ("unsupported", "needs 1000 at once, has 32"))
        self.assertEqual(bench.ask(cell, "sample", iterations=1)["outcome"], "unsupported")

    def test_without_a_server_fetch_is_not_supported(self) -> None:
        bench = Bench("py_asyncio")
        self.assertEqual(bench.smallest()["fetch"]["status"], "unsupported")
        self.assertEqual(bench.end()[0], 0)

    def test_a_server_that_is_gone_fails_the_cell_and_not_the_process(self) -> None:
        bench = Bench("py_asyncio", "--origin", "http://127.0.0.1:1/")
        cells = bench.smallest()
        self.assertEqual(bench.ask(cells["fetch"], "sample", iterations=1)["outcome"], "failed")
        self.assertEqual(bench.ask(cells["sleepers"], "sample", iterations=1)["outcome"], "ok")
        self.assertEqual(bench.end()[0], 0)

    def test_requests_that_are_not_understood_are_answered(self) -> None:
        bench = self.opened("py_asyncio")
        cell = bench.smallest()["sleepers"]
        bad = [
            {"iterations": 0},
            {"iterations": True},
            *({"iterations": 1, "untimed": untimed} for untimed in (-1, 0.5, "1", None, True)),
        ]
        requests = [
            "words",
            {"do": "dance"},
            {"do": "gate", "workload": "fib", "params": {}},
            *({"do": "sample", **cell, **fields} for fields in bad),
        ]
        for request in requests:
            with self.subTest(request):
                self.assertEqual(bench.say(request)["outcome"], "usage")
        assert bench.child.stdin
        bench.child.stdin.write('{"do": "quit"}\n')
        self.assertEqual(bench.end(), (0, ""))

    def test_flags_that_are_not_understood_are_refused_in_one_line(self) -> None:
        for flags in (
            [],
            ["--serve", "--origin", "ftp://x/"],
            ["--serve", "--cores", "two"],
            ["--serve", "--cores", "0"],
            ["--serve", "--what"],
        ):
            done = subprocess.run(
                [BENCHES / "bench_py_asyncio", *flags],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            self.assertRegex(done.stderr, r"\Apy_asyncio: [^\n]+\n\Z")

    def test_without_semaphores_between_processes_a_model_is_unsupported_and_says_why(self) -> None:
        """Mounts of a namespace of its own: another /dev/shm, or a /dev that has none."""
        refusals = {
            "mount -t tmpfs -o ro none /dev/shm": "Read-only file system",
            "mount -t tmpfs -o size=4k none /dev/shm && echo full >/dev/shm/file": "No space left on device",
            "mount -t tmpfs none $0 && cp -a /dev/null /dev/urandom $0 && mount --rbind $0 /dev": (
                "No such file or directory"
            ),
        }
        with tempfile.TemporaryDirectory() as folder:
            if subprocess.run(
                ["unshare", "--mount", "mount", "--bind", folder, folder], capture_output=True, check=False
            ).returncode:
                self.skipTest("a mount namespace is not ours to make")
            for mounts, why in refusals.items():
                for model in MODELS:
                    with self.subTest(model, why=why):
                        command = f'{mounts} && exec "$@" </dev/null'
                        done = subprocess.run(
                            ["unshare", "--mount", "sh", "-c", command, folder, BENCHES / f"bench_{model}", "--serve"],
                            capture_output=True,
                            text=True,
                            check=False,
                        )
                        self.assertEqual((done.returncode, done.stdout), (3, ""), done)
                        self.assertEqual(
                            done.stderr,
                            (
                                f"{model}: CPython's semaphores between processes lie in /dev/shm, and sem_open is"
                                f" refused there: {why}\n"
                            ),
                        )

    def test_no_worker_outlives_a_bench_that_ends_or_is_killed(self) -> None:
        for stop in (None, signal.SIGKILL):
            bench = Bench("py_processes")
            workers = bench.hello["worker_pids"]
            self.assertTrue(workers and all(map(alive, workers)))
            if stop:
                os.kill(bench.child.pid, stop)
            bench.end()
            deadline = time.monotonic() + 30
            while any(map(alive, workers)) and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertFalse(any(map(alive, workers)))


if __name__ == "__main__":
    unittest.main()

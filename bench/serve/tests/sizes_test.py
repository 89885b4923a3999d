"""Any size of any workload, requested over the --serve protocol: which values each param accepts, and that the least
values run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from driver.session.protocol import fault_of, fault_of_answer  # noqa: E402  (needs the path above)

BENCH = sys.argv.pop(1)
ABSURD = 10**12
RANGE = re.compile(r"(\w+) is \d+: (\w+) takes from (\d+) to (\d+)")


class Sizes(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.child = subprocess.Popen([BENCH, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert cls.child.stdout
        cls.hello = json.loads(cls.child.stdout.readline())
        assert not fault_of("hello", cls.hello)
        cls.params = {cell["workload"]: cell["params"] for cell in cls.hello["cells"]}

    @classmethod
    def tearDownClass(cls) -> None:
        cls.child.communicate(timeout=60)  # the end of its input ends it

    def ask(self, do: str, workload: str, params: dict[str, Any], **more: Any) -> dict[str, Any]:
        assert self.child.stdin and self.child.stdout
        self.child.stdin.write(json.dumps({"do": do, "workload": workload, "params": params, **more}) + "\n")
        self.child.stdin.flush()
        answer: dict[str, Any] = json.loads(self.child.stdout.readline())
        self.assertEqual(fault_of_answer(do, answer), "")
        return answer

    def described(self, workload: str, **params: int) -> dict[str, Any]:
        answer = self.ask("describe", workload, params)
        self.assertEqual(answer["outcome"], "ok", answer)
        cell: dict[str, Any] = answer["cell"]
        return cell

    def range_of(self, workload: str, name: str) -> tuple[int, int]:
        answer = self.ask("describe", workload, {name: ABSURD})
        self.assertEqual(answer["outcome"], "usage", f"{workload} takes {name} = {ABSURD}")
        told = RANGE.fullmatch(answer["reason"])
        assert told, answer["reason"]
        self.assertEqual(told.groups()[:2], (name, workload))
        return int(told[3]), int(told[4])

    def test_a_cell_at_a_size_of_no_list_is_described_measured_and_right(self) -> None:
        size = {"tasks": 17, "wait_us": 300, "steps": 1000}
        cell = self.described("mixed", **size)
        self.assertEqual(
            (cell["params"], cell["sizes"], cell["units"], cell["bound_ns"]),
            ({**size, "in_flight": 17}, [], 17, 300_000),
        )
        sample = self.ask("sample", "mixed", cell["params"], iterations=2)
        self.assertEqual((sample["outcome"], sample["units"]), ("ok", 34), sample)
        self.assertEqual(self.ask("gate", "mixed", cell["params"])["account"]["executions"], 17)

    def test_what_is_left_out_is_as_in_the_first_size_of_the_shortest_list(self) -> None:
        for workload, params in self.params.items():
            sizes = [cell for cell in self.hello["cells"] if cell["workload"] == workload]
            first = max(sizes, key=lambda cell: len(cell["sizes"]))
            self.assertEqual(self.described(workload)["params"], first["params"])
            name = next(iter(params))
            self.assertEqual(self.described(workload, **{name: first["params"][name]})["params"].keys(), params.keys())

    def test_in_flight_follows_the_tasks_that_are_named_and_is_otherwise_as_it_is_named(self) -> None:
        self.assertEqual(self.described("sleepers", tasks=33)["params"]["in_flight"], 33)
        self.assertEqual(self.described("sleepers", tasks=33, in_flight=5)["params"]["in_flight"], 5)
        self.assertEqual(
            self.described("sleepers", in_flight=5)["params"], {"tasks": 100, "delay_us": 10_000, "in_flight": 5}
        )

    def test_every_size_of_a_list_can_be_described(self) -> None:
        for cell in self.hello["cells"]:
            self.assertEqual(self.described(cell["workload"], **cell["params"]), cell)

    def test_each_param_is_taken_from_its_least_to_its_most_value_and_no_other(self) -> None:
        for workload, params in self.params.items():
            for name in params:
                least, most = self.range_of(workload, name)
                self.assertLess(least, most, f"{workload} {name}")
                for value in (least, most):
                    answer = self.ask("describe", workload, {name: value})
                    if answer["outcome"] != "ok":  # what two params must be to each other
                        self.assertRegex(answer["reason"], rf"^{workload}: |^{workload} ", answer)
                        self.assertNotRegex(answer["reason"], RANGE)
                for value in {most + 1, ABSURD, max(0, least - 1)} - set(range(least, least + 1)):
                    answer = self.ask("describe", workload, {name: value})
                    self.assertEqual(
                        (answer["outcome"], (RANGE.fullmatch(answer["reason"]) or [""])[0]),
                        ("usage", answer["reason"]),
                        f"{workload} {name}={value}",
                    )

    def test_what_params_must_be_to_each_other_is_said_in_one_line(self) -> None:
        wrong = {
            "crawl": {"delay_us": 50, "deadline_us": 50},
            "echo": {"connections": 100, "requests": 99},
            "echo_at_rate": {"requests": 1000, "rate_per_s": 5},
            "read_files": {"files": 100_000, "bytes": 1_000_000},
            "skynet": {"leaves": 101},
            "blocking_in_loop": {"tasks": 5, "blockers": 6},
            "race": {"racers": 1001, "delay_us": 2000},
            "first_result": {"sources": 5, "failing": 5},
            "fail_fast": {"tasks": 5, "failing": 5},
            "timeouts": {"delay_us": 1000, "deadline_us": 1000},
        }
        for workload, params in wrong.items():
            answer = self.ask("describe", workload, params)
            self.assertEqual(answer["outcome"], "usage", f"{workload} {params}")
            self.assertTrue(answer["reason"].startswith(f"{workload}: "), answer)

    def test_the_least_size_of_every_workload_runs_and_is_right(self) -> None:
        together = {
            "crawl": {"deadline_us": 600_000},
            "first_result": {"failing": 0},
            "timeouts": {"deadline_us": 300_000, "stalled_every": 1},
        }
        for workload, params in self.params.items():
            least = {name: self.range_of(workload, name)[0] for name in params} | together.get(workload, {})
            cell = self.described(workload, **least)
            answer = self.ask("gate", workload, cell["params"])
            self.assertEqual(
                answer["outcome"], "ok" if cell["status"] == "ok" else "unsupported", f"{workload} {least}: {answer}"
            )

    def test_what_is_no_size_is_answered_and_names_the_param(self) -> None:
        for params, complaint in (
            ({"task": 5}, "mixed has no param task; it has: tasks, wait_us, steps, in_flight"),
            ({"tasks": -5}, "tasks is -5, no whole number from 0"),
            ({"tasks": 5.0}, "tasks is 5.0, no whole number from 0"),
            ({"tasks": "5"}, 'tasks is "5", no whole number from 0'),
            ({"tasks": 0}, "tasks is 0: mixed takes from 1 to 10000000"),
        ):
            self.assertEqual(self.ask("describe", "mixed", params), {"outcome": "usage", "reason": complaint})
        self.assertEqual(self.ask("describe", "mixd", {})["reason"], "this model has no workload mixd")
        self.assertEqual(self.ask("gate", "mixed", {"tasks": 5})["reason"], "this request names all params of mixed")


if __name__ == "__main__":
    unittest.main()

"""Whatever a bench process answers or a run.json holds: a named error, or something that can be worked with. Never a
fault of our own."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from driver.machine.allocator import GLIBC, Allocator
from driver.machine.process_supervisor import ProcessSupervisor
from driver.machine.waiting import Waiter
from driver.session.bench import OUTCOMES, Answer, Bench
from driver.session.cells import Malformed, read_hello
from driver.session.checks import wrong_sample
from driver.session.protocol import fault_of_answer
from fuzz.mutations import documents
from reports.cases.cases import analyse
from reports.cases.read import ReadError, read_run
from reports.pages.validate import faults

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "fuzz" / "corpus"
NUMBER, SEED = int(os.environ.get("CROSSOVER_FUZZ", "200")), int(os.environ.get("CROSSOVER_FUZZ_SEED", "1"))


def seeds(kind: str) -> list[Any]:
    """The corpus: what once went wrong is added to it."""
    return [json.loads(path.read_text()) for path in sorted((CORPUS / kind).glob("*.json"))]


class _ProcessSupervisor(ProcessSupervisor):
    """Of no process: ends nothing."""

    def __init__(self) -> None:
        pass

    def wait(self, child: Any, seconds: float) -> int | None:
        return 0

    def end(self, child: Any, grace_s: float = 0) -> None:
        child.stdout.close()


def answer_of(line: bytes, kind: str, tmp_path: Path) -> Answer:
    """What the driver makes of a line that came through its pipe."""
    (tmp_path / "line").write_bytes(line + b"\n")
    with Waiter(lambda: 1.0) as waiter, open(tmp_path / "line", "rb") as output:
        bench = Bench(Path("bench_x"), [], _ProcessSupervisor(), waiter, Allocator(GLIBC))
        bench._errors = io.BytesIO()  # type: ignore[assignment]
        bench._child = SimpleNamespace(stdout=output, stdin=None, pid=0)  # type: ignore[assignment]
        return bench._receive(10**9, kind)


def test_whatever_a_bench_answers_is_an_answer_or_a_failure_with_a_reason(tmp_path: Path) -> None:
    hellos = seeds("hello")
    (cell,) = read_hello(hellos[0], hellos[0]["model"], {})[:1]
    seen = set()
    for text in documents(hellos + seeds("sample"), NUMBER, SEED):
        hello = answer_of(text, "hello", tmp_path)
        if hello.outcome == "ok":
            try:
                read_hello(hello.body, "x", {})
            except Malformed as error:
                assert "\n" not in str(error), text
        else:
            assert hello.outcome in ("failed", "crashed") and hello.reason and "\n" not in hello.reason, text
        sample = answer_of(text, "outcome", tmp_path)
        assert sample.outcome in OUTCOMES and "\n" not in sample.reason, text
        if sample.outcome == "ok":
            seen.add(fault_of_answer("sample", sample.body) or wrong_sample(cell, 3, sample.body))
        json.dumps(sample.reason).encode()
    assert "" in seen and len(seen) > 3, "the samples hardly vary"


def test_whatever_a_run_json_holds_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    read = refused = 0
    for text in documents(seeds("run"), NUMBER, SEED):
        path.write_bytes(text)
        try:
            analyse(read_run(path))
            faults(path)
            read += 1
        except ReadError as error:
            assert "\n" not in str(error), text
            refused += 1
    assert read and refused


@pytest.mark.parametrize("kind", ["hello", "sample", "run"])
def test_the_corpus_is_there(kind: str) -> None:
    assert seeds(kind)

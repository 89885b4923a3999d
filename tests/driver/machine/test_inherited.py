"""What whoever starts the driver left behind changes nothing that it sees or starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.driver.conftest import ROOT, Benches, Result
from tests.driver.session.test_outcomes import SPIN

SHOW = f"""
import sys, tempfile
sys.path.insert(0, {str(ROOT)!r})
from driver.machine import inherited
from driver.machine.process_supervisor import ProcessSupervisor
inherited.forget()
supervisor = ProcessSupervisor()
child = supervisor.start(["cat", "/proc/self/status"], tempfile.TemporaryFile())
child.stdin.close()
sys.stdout.buffer.write(child.stdout.read())
supervisor.end_all()
"""


def ignore_and_block_all() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    os.umask(0o777)


def test_a_child_ignores_and_blocks_no_signal_whatever_the_driver_inherited() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=ignore_and_block_all,
        restore_signals=False,
        check=True,
    )
    state = dict(line.split(":\t") for line in done.stdout.splitlines() if line.startswith("Sig"))
    assert {name: int(state[name], 16) for name in ("SigIgn", "SigBlk")} == {"SigIgn": 0, "SigBlk": 0}


def test_what_nohup_ignores_stays_ignored_by_the_driver() -> None:
    script = (
        f"import sys, signal; sys.path.insert(0, {str(ROOT)!r}); from driver.machine import inherited;"
        " inherited.forget(); print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=ignore_and_block_all,
        restore_signals=False,
        check=True,
    )
    assert done.stdout == "True\n"


def test_how_a_model_died_is_told_where_deaths_were_ignored(benches: Benches) -> None:
    benches.add("odd", fault={"do": "gate", "workload": "spin", "kind": "crash"})
    benches.add("even")
    out = benches.folder.parent / "out"
    done = subprocess.run(
        benches.command("run", "--seed", "1", "--out", str(out)),
        capture_output=True,
        text=True,
        preexec_fn=ignore_and_block_all,
        restore_signals=False,
        timeout=60,
    )
    result = Result(done.returncode, done.stdout, done.stderr, Path(out))
    assert result.code == 4, done.stderr
    assert result.cells[SPIN]["status"] == "crashed" and result.cells[SPIN]["reason"].startswith("killed by SIGSEGV")

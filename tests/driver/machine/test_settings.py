"""What is recorded of settings that whoever starts a run has passed on."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.driver.conftest import ROOT


def settings_after(prepare: Callable[[], object]) -> dict[str, Any]:
    """Those of a driver that is started by somebody who did that."""
    script = (
        f"import sys, json; sys.path.insert(0, {str(ROOT)!r}); from driver.machine import host;"
        " print(json.dumps(host.settings()))"
    )
    return dict(
        json.loads(
            subprocess.run(
                [sys.executable, "-c", script], preexec_fn=prepare, capture_output=True, text=True, check=True
            ).stdout
        )
    )


def test_what_lets_others_go_first_is_recorded() -> None:
    assert settings_after(lambda: os.nice(19))["priority"] == "nice 19"
    assert settings_after(lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)))["priority"].startswith(
        "the idle scheduler"
    )


def test_addresses_that_are_not_random_in_this_process_are_recorded() -> None:
    addr_no_randomize = 0x0040000
    assert settings_after(lambda: ctypes.CDLL(None).personality(addr_no_randomize))["aslr"] == "0"

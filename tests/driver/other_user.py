"""Calls a function as an ordinary user, where the tests are root's."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

NOBODY = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


def let_others_enter() -> None:
    """Skips the test where no other user may enter the root folder, as in some containers."""
    if os.geteuid() == 0 and not os.stat("/").st_mode & 0o001:
        pytest.skip("no other user may enter / here")


def as_user(number: int, call: Callable[[], Any]) -> Any:
    """What it returns, or what it raises as a text."""
    let_others_enter()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.setgroups([])
            os.setgid(number)
            os.setuid(number)
            os.chdir("/")
            try:
                answer = call()
            except Exception as error:
                answer = repr(error)
            os.write(writing, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as told:
        answer = told.read()
    os.waitpid(child, 0)
    return json.loads(answer)

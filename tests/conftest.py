"""Ends a test that takes too long, and shows where it stood."""

import faulthandler
import signal
import sys
from collections.abc import Iterator
from types import FrameType

import pytest

LIMIT_S, SLOW_LIMIT_S = 120, 600  # the second is for tests that are marked slow


def limit_of(item: pytest.Item) -> int:
    """A test that needs longer says so, and why: @pytest.mark.time_limit(SECONDS)."""
    mark = item.get_closest_marker("time_limit")
    return int(mark.args[0]) if mark else SLOW_LIMIT_S if item.get_closest_marker("slow") else LIMIT_S


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    limit_s = limit_of(item)

    def end(_number: int, _frame: FrameType | None) -> None:
        faulthandler.dump_traceback(sys.__stderr__)
        pytest.fail(f"hung: not done after {limit_s} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(limit_s)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

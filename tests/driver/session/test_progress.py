"""One live line on a terminal, plain lines elsewhere."""

import fcntl
import io
import os
import pty
import struct
import termios
import time

import pytest

from driver.progress import Progress


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def on_terminal(width: int, what: str, left_s: float | None) -> str:
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with os.fdopen(writer, "w") as stream:
        progress = Progress(stream)
        progress.tell(what, left_s)
        progress.end()
    text = b""
    try:
        while part := os.read(reader, 4096):
            text += part
    except OSError:  # all is read, and nobody writes any more
        os.close(reader)
    return text.decode()


def test_a_terminal_gets_percent_step_elapsed_and_time_left_in_one_line_that_goes_away() -> None:
    assert (
        on_terminal(100, "round 3/24 spin/model:a", 65)
        == "\r\x1b[K[  0%] elapsed 0:00 left 1:05  round 3/24 spin/model:a\r\x1b[K"
    )


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("TERM", ""), ("TERM", None), ("NO_COLOR", "1")])
def test_a_terminal_that_cannot_redraw_or_that_wants_no_colour_gets_plain_lines(
    name: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    assert "\x1b" not in on_terminal(100, "round 3/24 spin/model:a", 65)


def test_a_line_that_is_wider_than_the_terminal_is_cut() -> None:
    line = on_terminal(40, "round 3/24 " + "long" * 30, 65)
    assert line == "\r\x1b[K[  0%] elapsed 0:00 left 1:05  round 3/\r\x1b[K"


def test_elsewhere_nothing_is_printed_before_five_seconds_and_whole_lines_after() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.tell("building")
    assert stream.getvalue() == ""
    assert 4.5 < progress.tick() <= 5
    progress._due = time.monotonic()
    progress.tick()
    assert stream.getvalue() == "elapsed 0:00  building\n"


def test_a_reader_that_is_gone_is_no_reason_to_stop() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        progress = Progress(stream)
        progress.say("measured")
        progress.say("drawn")

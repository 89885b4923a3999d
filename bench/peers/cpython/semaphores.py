"""Semaphores shared by processes. They are in /dev/shm, which may be read-only, too small or missing in a container."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class NoSemaphores(Exception):
    """This system gives none: one line that says why."""


@contextlib.contextmanager
def semaphores() -> Iterator[None]:
    """Around what makes some, and does nothing else that the system may refuse."""
    try:
        yield
    except OSError as error:
        raise NoSemaphores(
            f"CPython's semaphores between processes lie in /dev/shm, and sem_open is refused there: {error.strerror}"
        ) from None

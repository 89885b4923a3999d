"""The checkout as a place to build in: whether it is writable, whether CMake accepts its name, and who is building
there."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator

from driver.lock import Lock, take
from driver.machine.host import ROOT
from driver.problem import Problem
from driver.progress import Progress
from driver.refusal import refused

_BUILD = ROOT / "build"
_AGAIN_S = 0.1
# CMake, Ninja or the compiler's lists of headers take them for something else: the build fails, or begins anew each
# time. Spaces, and bytes that are no text, do no harm.
_UNFIT = re.compile(r"""[\x00-\x1f\x7f"'`$&*?;#<>|\[\]\\]""")


def is_writable() -> bool:
    """Whether anything can be built there."""
    place = next(place for place in (_BUILD / "release", _BUILD, ROOT) if place.is_dir())
    return os.access(place, os.W_OK | os.X_OK)


def unfit() -> str:
    """A character of its name, or nothing."""
    found = _UNFIT.search(str(ROOT))
    return found[0] if found else ""


def check_name() -> None:
    """A Problem where CMake would not understand its name."""
    if character := unfit():
        raise Problem(
            f"nothing can be built in {ROOT}: the character {character!a} in its name confuses CMake: move the checkout"
        )


@contextlib.contextmanager
def locked(progress: Progress) -> Iterator[None]:
    """One build at a time: whoever comes second waits, where the file system has locks. scripts/test holds the same
    lock while it builds."""
    file = _BUILD / "lock"
    try:
        _BUILD.mkdir(exist_ok=True)
        opened = open(file, "ab")
    except OSError as error:
        raise refused("open", file, error) from None
    with opened:
        while take(opened, file) is Lock.TAKEN:
            progress.tell("waiting for another build of this checkout")
            time.sleep(_AGAIN_S)
        yield

"""Errors of the system in one line: the call, its object, the reason, and a remedy if known."""

from __future__ import annotations

import errno
import os

from driver.problem import Problem

_LIMITS = {
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
}
_PLACES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room within your quota there",
    errno.EROFS: "choose a place that can be written to",
    errno.EACCES: "choose a place that this user may write to",
    errno.EPERM: "choose a place that this user may write to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "its links lead to each other: choose another place",
}


def refused(call: str, place: object, error: OSError, *, elsewhere: str = "", then: str = "") -> Problem:
    """`elsewhere`: how to choose another place; `then`: what to do once it is fixed."""
    number = error.errno or 0
    remedy = _LIMITS.get(number) or elsewhere or _PLACES.get(number) or ("fix that" if then else "")
    return Problem(
        ": ".join(
            filter(
                None,
                (f"cannot {call} {place}", error.strerror or str(error), ", then ".join(filter(None, (remedy, then)))),
            )
        )
    )


def unexpected(error: OSError, then: str = "") -> Problem:
    """Where nobody knows which call it was: the error names the file, or there is none."""
    number = error.errno or 0
    remedy = _LIMITS.get(number) or _PLACES.get(number) or ("fix that" if then else "")
    if number == errno.ENOENT and not error.filename and not _present_folder_is_there():
        remedy = "the present folder is gone: change to another"
    return Problem(
        ": ".join(
            filter(
                None,
                (error.strerror or str(error), str(error.filename or ""), ", then ".join(filter(None, (remedy, then)))),
            )
        )
    )


def _present_folder_is_there() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True

"""A lock on an open file. It is released when the file is closed or its holder dies."""

from __future__ import annotations

import enum
import errno
import fcntl
from typing import IO

from driver.refusal import refused

_WITHOUT_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # what a file system answers that has none


class Lock(enum.Enum):
    """Who holds the lock of a file."""

    OURS = enum.auto()
    TAKEN = enum.auto()  # by another
    NONE = enum.auto()  # there are no locks on this file system


def take(file: IO[bytes], name: object) -> Lock:
    """Does not wait. `name` stands in the message where the system refuses for another reason than these."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.TAKEN
    except OSError as error:
        if error.errno in _WITHOUT_LOCKS:
            return Lock.NONE
        raise refused("flock", name, error) from None
    return Lock.OURS

"""Errors of the system, not of the model: no memory, descriptor, thread, network or system call."""

import errno

_ERRORS = {
    errno.EAGAIN,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EPERM,
    errno.EACCES,
    errno.ENOSYS,
    errno.ENETUNREACH,
    errno.ENETDOWN,
}


def refused(error: Exception) -> bool:
    of_threads = isinstance(error, RuntimeError) and str(error) == "can't start new thread"
    return of_threads or isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _ERRORS)


def told(error: Exception) -> str:
    return f"the system refuses: {' '.join(str(error).split()) or 'no more memory'}"

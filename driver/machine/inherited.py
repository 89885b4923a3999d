"""Resets inherited process state that a program must not depend on. As runtimes/system/inherited.cpp; the CPython
models ship this file."""

from __future__ import annotations

import os
import resource
import signal

_SAY_GO_ON = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}  # ignored by nohup, and by a shell in the background
_IGNORED_BY_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ}  # writes fail instead


def forget() -> None:
    """First thing in a program: no signal is blocked, and each acts as usual; timers are stopped; new files can be used
    by their owner; as many descriptors may be open as the hard limit allows."""
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)
    # sent to somebody who blocked it, as by a timer of his: ignoring drops it
    for number in signal.sigpending() - _SAY_GO_ON - {signal.SIGTERM}:
        before = signal.signal(number, signal.SIG_IGN)
        signal.signal(number, before)
    for number in signal.valid_signals() - _SAY_GO_ON - _IGNORED_BY_PYTHON:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(os.umask(0) & ~0o700)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def act_as_usual() -> None:
    """In a child between fork and exec: also the signals by which whoever began it says that it shall go on."""
    for number in _SAY_GO_ON:
        signal.signal(number, signal.SIG_DFL)

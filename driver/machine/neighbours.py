"""Finds other Crossover processes on this machine, of any user or checkout. Two that meet each learn of the other.

Each has a socket in Linux' abstract namespace: no folder that another user could not write to, and nothing left behind
by what dies. Whoever begins writes to all that are there. A container with a network of its own is not seen; its load
is.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from pathlib import Path

_PREFIX = "crossover."
_KINDS = {"run": "another run of Crossover measured", "test": "the tests of Crossover ran"}
_AT_WORK = {"run": "another run measures", "test": "the tests of Crossover run"}
_LONGEST = 16


class Presence:
    """From its making on, as long as it is kept. `kind`: run or test."""

    def __init__(self, kind: str) -> None:
        self._heard: set[str] = set()
        self._socket: socket.socket | None = None
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            own = f"{_PREFIX}{kind}.{os.getpid()}.{secrets.token_hex(4)}"
            self._socket.bind(f"\0{own}")
            # after the own one is there: of two that begin at once, at least one sees the other
            for name, other in _sockets():
                if name != own:
                    self._tell(name, kind)
                    self._heard.add(other)
        except OSError:  # a sandbox without such sockets: nobody is heard
            pass

    def warnings(self) -> list[str]:
        """A line for each kind of other that was here at any time since."""
        while self._socket is not None:
            try:
                self._heard.add(self._socket.recv(_LONGEST).decode(errors="replace"))
            except OSError:
                break
        return [f"{told} on this machine at the same time" for kind, told in _KINDS.items() if kind in self._heard]

    def _tell(self, name: str, kind: str) -> None:
        assert self._socket is not None
        try:
            self._socket.sendto(kind.encode(), f"\0{name}")
        except OSError:  # ended meanwhile, or has heard of more than it reads
            pass


def present() -> list[str]:
    """A line for each kind that is at work now, of which this process is none."""
    try:
        kinds = {kind for _, kind in _sockets()}
    except OSError:
        kinds = set()
    return [f"{who} now" for kind, who in _AT_WORK.items() if kind in kinds]


def _sockets() -> list[tuple[str, str]]:
    """The name of each, and of what kind it is."""
    return re.findall(
        rf"@({re.escape(_PREFIX)}(\w+)\.[\w.]+)$",
        Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace"),
        re.MULTILINE,
    )

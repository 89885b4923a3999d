"""uvloop: asyncio's tasks on libuv's loop."""

from __future__ import annotations

import sys

from cpython.py_asyncio import AsyncioModel
from cpython.serve import ENVIRONMENT, serve


class UvloopModel(AsyncioModel):
    # since libuv 1.46: changes of the epoll set in batches; the waits stay with epoll
    helpers = frozenset({"io_uring"})


def main() -> None:
    try:
        import uvloop
    except ImportError:
        print("py_uvloop: the Python module uvloop is missing: run scripts/setup", file=sys.stderr)
        sys.exit(ENVIRONMENT)
    sys.exit(
        serve("py_uvloop", lambda around: UvloopModel(around, uvloop.new_event_loop, {"uvloop": uvloop.__version__}))
    )

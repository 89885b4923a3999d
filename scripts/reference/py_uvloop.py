"""uvloop: asyncio's tasks on libuv's loop."""

from __future__ import annotations

import sys

from reference.py_asyncio import AsyncioModel
from reference.serve import ENVIRONMENT, serve


def main() -> None:
    try:
        import uvloop
    except ImportError:
        print("py_uvloop: the Python module uvloop is missing: run scripts/setup", file=sys.stderr)
        sys.exit(ENVIRONMENT)
    sys.exit(serve("py_uvloop", lambda around: AsyncioModel(around, uvloop.new_event_loop, {"uvloop": uvloop.__version__})))

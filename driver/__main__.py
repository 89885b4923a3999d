"""The entry of scripts/crossover: puts the repository, not this folder, on the module path."""

# ruff: noqa: E402 (signals wait until there is somebody who answers in one line, and imports need the path)
import signal

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)

import io
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from driver.command import main
from driver.problem import Exit

for number in ENDINGS:
    if signal.getsignal(number) == signal.SIG_DFL:  # not what whoever began it ignores, as nohup does
        signal.signal(number, signal.default_int_handler)
if isinstance(sys.stdout, io.TextIOWrapper):
    sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: a terminal without µ still gets the line
try:
    code = main(sys.argv[1:])
except KeyboardInterrupt:
    print("crossover: interrupted", file=sys.stderr)
    code = Exit.INTERRUPTED
sys.exit(code)

"""The entry of scripts/crossover: puts the repository, not this folder, on the module path, and lets nothing end with a
traceback."""

# Signals wait until there is somebody who answers in one line.
import signal

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)

import io  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

ENVIRONMENT, INTERRUPTED = 3, 130  # as driver.problem has them, which may be what cannot be imported


def run() -> int:
    """The exit code. Only this checkout and Debian's modules are imported."""
    sys.dont_write_bytecode = True
    if not sys.flags.isolated:
        del sys.path[0]
    # Modules are Debian's: what was installed beside them for all users may be of another version, and breaks those
    # that need it.
    sys.path[:] = [
        str(Path(__file__).resolve().parent.parent),
        *(path for path in sys.path if not path.startswith("/usr/local/")),
    ]
    from driver.machine import environment

    environment.enter()
    from driver.commands.main import main

    for number in ENDINGS:
        if signal.getsignal(number) == signal.SIG_DFL:  # not what whoever began it ignores, as nohup does
            signal.signal(number, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: a terminal without µ still gets the line
    return main(sys.argv[1:])


def complain(line: str) -> None:
    """One line on standard error, if there is one."""
    try:
        print(f"crossover: {line}", file=sys.stderr)
    except OSError:  # the exit code tells it too
        pass


try:
    code = run()
except KeyboardInterrupt:
    complain("interrupted")
    code = INTERRUPTED
except ImportError as error:
    complain(f"does not start: {error}: run scripts/setup")
    code = ENVIRONMENT
except Exception as error:  # never 1, which says that something got worse
    complain(f"does not start: {type(error).__name__}: {' '.join(str(error).split())}")
    code = ENVIRONMENT
sys.exit(code)

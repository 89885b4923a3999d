"""Standard output that accepts any text: a folder name may be invalid text, and a terminal may lack µ."""

import io
import sys


def take_any_text() -> None:
    """Prints what the terminal has no letter for as an escape, rather than failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")

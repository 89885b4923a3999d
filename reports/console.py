"""Standard output that takes any text: the name of a folder need be none, and a terminal may lack µ."""

import io
import sys


def take_any_text() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")

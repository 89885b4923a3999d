"""Names on the command line: one that does not exist is answered with what does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from driver.problem import Exit, Problem


def given_names(option: str, text: str | None, known: str) -> list[str]:
    """None if the option was not given. `known`: what says which there are."""
    names = split_names(text or "")
    if text is not None and not names:
        raise Problem(f"{option} {text} names nothing; there are: {known}", Exit.USAGE)
    return names


def split_names(text: str) -> list[str]:
    """The names in a list with commas."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def check_names(kind: str, wanted: Sequence[str], existing: Iterable[str]) -> None:
    """A Problem for the first name that does not exist, with the one that is like it."""
    names = sorted(existing)
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise Problem(f"there is no {kind} {name}{hint}; there are: {', '.join(names) or 'none'}", Exit.USAGE)

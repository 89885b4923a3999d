"""Templates and files of a report: text from a run is escaped, and files are written atomically."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"
_MARKDOWN = re.compile(r"([\\`*\[\]|~$])")


def environment(**options: Any) -> Environment:
    """Jinja's, with the templates of the reports; an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=True,
        **options,
    )


def escaped(value: Any) -> Any:
    """Text of a run cannot become Markdown or HTML, nor end a table's line. What a macro returns is finished
    already."""
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(_MARKDOWN.sub(r"\\\1", text))


def write(path: Path, content: bytes) -> None:
    """In one piece: a reader sees the old file or the new one."""
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise

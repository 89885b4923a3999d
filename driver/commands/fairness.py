"""`crossover list --fairness`: the table of docs/FAIRNESS.md, what differs between two models and in which file to see
it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from driver.commands.listing import CORES_OF_MARKDOWN, ask, by_family
from driver.machine.host import ROOT
from driver.progress import Progress
from driver.session.cells import Event

SENTENCES = ROOT / "docs" / "fairness.toml"
COLUMNS = {  # heading → the key of the sentence, or what the program itself says
    "engineering": "",
    "scheduling": "scheduling",
    "queue discipline": "queue",
    "nested batches": "nested",
    "wake-up": "wake_up",
    "waiting primitive": "waiting",
    "timers": "timers",
    "memory of tasks": "memory",
    "semaphore": "",
    "channel": "",
    "stack of a waiting item": "",
    "crosses address spaces": "crosses",
    "replaced of the library": "replaced",
}
UNSAID = "not described"


def sentences() -> dict[str, dict[str, str]]:
    """Model → key → a cell: the sentence and its file, or in which model it is the same."""
    stated = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
    keys = [key for key in COLUMNS.values() if key]
    return {model: {key: _cell(stated, model, key) for key in keys} for model in stated}


def _cell(stated: Mapping[str, Mapping[str, Any]], model: str, key: str) -> str:
    if key in stated[model]:
        text, path = stated[model][key]
        return f"{text} ([{Path(path).name}](../{path}))"
    while key not in stated[model]:
        if "as" not in stated[model]:
            return UNSAID
        model = stated[model]["as"]
    return f"as {model}"


def is_described(hello: Event) -> bool:
    """A pool of another size is the pool."""
    size = str(hello["model"]).removeprefix(f"{hello['variant_of']}_")
    return not size.isdecimal()


def table(programs: Mapping[str, Path], progress: Progress) -> Iterator[str]:
    """The lines of the table of models in docs/FAIRNESS.md, as Markdown."""
    models, _ = ask(programs, CORES_OF_MARKDOWN, progress)
    told = sentences()
    yield f"| model | {' | '.join(COLUMNS)} |"
    yield "|---|" + "---|" * len(COLUMNS)
    for hello in (model["hello"] for model in by_family(models)):
        if is_described(hello):
            cells = {
                heading: told.get(str(hello["model"]), {}).get(key, UNSAID) for heading, key in COLUMNS.items() if key
            } | _said(hello)
            if back_end := hello.get("back_end"):
                cells["waiting primitive"] = f"`{back_end}`: {cells['waiting primitive']}"
            yield f"| {hello['model']} | {' | '.join(cells[heading] for heading in COLUMNS)} |"


def _said(hello: Event) -> dict[str, str]:
    stack = (hello.get("resources") or {}).get("stack_bytes")
    return {
        "engineering": hello.get("engineering") or "not stated",
        "semaphore": hello.get("semaphore_order") or "–",
        "channel": hello.get("channel_order") or "–",
        "stack of a waiting item": "–" if stack is None else f"{stack // 1024:,} KiB" if stack else "none",
    }

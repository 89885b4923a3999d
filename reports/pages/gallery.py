"""python3 -m reports.pages.gallery DIR: copies the figures of a drawn run into docs/ and describes them in the
README."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.analysis.model_or_implementation import answer_in_words, weighed
from reports.cases.cases import analyse
from reports.cases.read import ReadError, read_run
from reports.cases.run import Run
from reports.pages.console import take_any_text
from reports.text import trust
from vocabulary.terms import METRIC_NAMES

ROOT = Path(__file__).resolve().parents[2]
USAGE, BAD_FILE = 2, 4
FIGURES = {
    "winner-map-time": (
        "Winner map by time: one tile per workload and size, in the colour of the family that wins, paler where it is"
        " just ahead, split for a tie, hatched for a safe choice, grey where it is open"
    ),
    "winner-map-cpu": "Winner map by CPU cost, drawn as the one by time",
    "regime-map-time": (
        "Regime map: the safe choice by how much of a task is waiting and how long it takes, for few tasks and for many"
    ),
    "model-or-implementation": (
        "Model or implementation: for each kind of work what part of the variance lies between families, and what part"
        " between textbook and best of one family"
    ),
    "memory": "Memory of a waiting task for each model, and the limit that stops it",
}
_BLOCK = re.compile(r"(<!-- gallery[^\n]*-->\n).*?(<!-- end of the gallery -->)", re.DOTALL)


def gallery(folder: Path, root: Path) -> list[Path]:
    """The files that it wrote. Raises ReadError where the run is not drawn or lacks a figure, OSError."""
    run = read_run(folder)
    pictures = {name: folder / "figures" / f"{name}.png" for name in FIGURES}
    missing = [name for name, file in pictures.items() if not file.is_file()]
    if missing:
        raise ReadError(
            f"{folder}: has no figure {' and no '.join(missing)}: draw a full run with scripts/crossover report"
            f" {folder}"
        )
    readme = root / "README.md"
    text, changed = _BLOCK.subn(lambda block: block[1] + _text(run) + block[2], readme.read_text(encoding="utf-8"))
    if changed != 1:
        raise ReadError(f"{readme}: has {changed} gallery blocks instead of one: restore its two gallery comments")
    written = [root / "docs" / f"{name}.png" for name in FIGURES]
    for name, file in pictures.items():
        (root / "docs" / f"{name}.png").write_bytes(file.read_bytes())
    readme.write_text(text, encoding="utf-8")
    return [*written, readme]


def _text(run: Run) -> str:
    analysis = analyse(run)
    facts = {fact.name: fact.value for fact in trust.facts(analysis)}
    date = str(run.run.get("started_utc", ""))[:10]
    told = "".join(f" {name}: {facts[name]}." for name in ("State", "Disturbed") if name in facts)
    answers: dict[str, list[str]] = {}
    for one in weighed(analysis):
        answers.setdefault(one.work, []).append(f"by {METRIC_NAMES[one.metric]} {answer_in_words(one)}")
    weighs = "".join(f"- **{work}:** {'; '.join(said)}.\n" for work, said in answers.items())
    return f"\nA {run.run.get('mode')} run of {date} on {facts['Machine']}.{told}\n\n{weighs}\n" + "".join(
        f"![{alt}](docs/{name}.png)\n\n" for name, alt in FIGURES.items()
    )


def main(arguments: Sequence[str]) -> int:
    """Copies the figures that the documents show; the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(
            "usage: python3 -m reports.pages.gallery DIR (the results folder of a full run whose report is drawn)",
            file=sys.stderr,
        )
        return USAGE
    take_any_text()
    try:
        for file in gallery(Path(arguments[0]), ROOT):
            print(file)
    except (ReadError, OSError) as error:
        print(error, file=sys.stderr)
        return BAD_FILE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

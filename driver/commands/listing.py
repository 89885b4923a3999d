"""`crossover list`: which models and workloads there are, and what each model can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from driver.machine.allocator import GLIBC, Allocator
from driver.machine.cores import usable_cores
from driver.progress import Progress
from driver.session.cells import Cell, Event, by_case
from driver.session.preset import FULL
from driver.session.processes import opened
from vocabulary.terms import FAMILIES


CORES_OF_MARKDOWN = 2  # so that the table is the same on every machine


def describe(programs: Mapping[str, Path], progress: Progress) -> Iterator[str]:
    """The lines of `crossover list`."""
    models, cells = ask(programs, usable_cores(), progress)
    twins = {model["model"]: model for model in models if _is_twin(model)}
    yield from _models([model for model in models if model["model"] not in twins])
    yield ""
    if twins:
        yield from _native_twins(list(twins.values()))
        yield ""
    yield from _workloads([cell for cell in cells if cell.model not in twins])


def markdown(programs: Mapping[str, Path], progress: Progress) -> Iterator[str]:
    """The table of models in docs/MODELS.md: what each holds on two cores, which verbs it has, and why not the
    others."""
    models, _ = ask(programs, CORES_OF_MARKDOWN, progress)
    spoken = by_family(models)
    verbs = list(dict.fromkeys(verb for model in spoken for verb in model["hello"].get("verbs") or {}))
    names = [verb.removeprefix("can_") for verb in verbs]
    yield f"| model | {' | '.join(names)} | at once | threads | processes |"
    yield "|---|" + ":-:|" * len(names) + "--:|" * 3
    reasons: list[str] = []
    for model in spoken:
        hello, resources = model["hello"], model["hello"].get("resources") or {}
        marks = [_mark((hello.get("verbs") or {}).get(verb, "not stated"), reasons) for verb in verbs]
        executor = resources.get("executor_threads")
        threads = f"{resources.get('threads', '?')}{f' + {executor}' if executor else ''}"
        yield (
            f"| {model['model']} | {' | '.join(marks)} | {hello.get('at_once', '?'):,} | {threads} |"
            f" {resources.get('processes', '?')} |"
        )
    yield ""
    for number, reason in enumerate(reasons, 1):
        yield f"{number}. {reason}"


def _is_twin(model: Event) -> bool:
    """Of another model, without the contract and so without verbs."""
    return bool(model["hello"].get("native_of"))


def by_family(models: Sequence[Event]) -> list[Event]:
    """Those that could be opened, without native twins."""

    def place(model: Event) -> tuple[int, str]:
        family = str(model["hello"]["family"])
        return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES), str(model["model"])

    return sorted((model for model in models if model["status"] == "ok" and not _is_twin(model)), key=place)


def _mark(reason: str, reasons: list[str]) -> str:
    """A verb that is lacking has the number of its reason."""
    if not reason:
        return "✓"
    if reason not in reasons:
        reasons.append(reason)
    return str(reasons.index(reason) + 1)


def ask(programs: Mapping[str, Path], cores: int, progress: Progress) -> tuple[list[Event], list[Cell]]:
    """Opens every program with that many cores: the model events and all cells."""
    # patient: a model that opens late would be missing
    with opened(programs, {}, cores, Allocator(GLIBC), FULL, progress) as processes:
        events, cells = processes.open()
    return [event for event in events if event["event"] == "model"], cells


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def _models(models: Sequence[Event]) -> Iterator[str]:
    spoken = [model for model in models if model["status"] == "ok"]
    verbs = sorted({verb for model in spoken for verb in model["hello"].get("verbs") or {}})
    yield f"Models ({len(spoken)})"
    rows = [
        [
            "model",
            "family",
            "at once",
            "threads",
            "executor",
            "processes",
            *(verb.removeprefix("can_") for verb in verbs),
        ]
    ]
    lacks: dict[str, list[str]] = {}
    for model in spoken:
        hello, resources = model["hello"], model["hello"].get("resources") or {}
        marks = []
        for verb in verbs:
            reason = (hello.get("verbs") or {}).get(verb, "not stated")
            marks.append("no" if reason else "yes")
            if reason:
                lacks.setdefault(f"no {verb.removeprefix('can_')}: {reason}", []).append(model["model"])
        counts = [
            str(hello.get("at_once", "?")),
            *(str(resources.get(key, "?")) for key in ("threads", "executor_threads", "processes")),
        ]
        rows.append([model["model"], str(hello["family"]), *counts, *marks])
    yield from _table(rows)
    for reason, names in lacks.items():
        yield f"  {reason} ({', '.join(names)})"
    for model in models:
        if model["status"] != "ok":
            yield f"  {model['model']}: {model['reason']}"


def _native_twins(models: Sequence[Event]) -> Iterator[str]:
    yield f"Native twins ({len(models)})"
    rows = [["model", "twin of", "threads", "processes"]]
    for model in models:
        hello, resources = model["hello"], model["hello"].get("resources") or {}
        rows.append(
            [
                model["model"],
                str(hello["native_of"]),
                *(str(resources.get(key, "?")) for key in ("threads", "processes")),
            ]
        )
    yield from _table(rows)


def _workloads(cells: Sequence[Cell]) -> Iterator[str]:
    workloads: dict[str, list[list[Cell]]] = {}
    for models in by_case(cells).values():
        workloads.setdefault(models[0].case.workload, []).append(models)
    yield f"Workloads ({len(workloads)})"
    for name, cases in workloads.items():
        first = cases[0][0].case
        yield f"  {name} ({first.kind}, decided by {first.metric}): {first.question}"
        for models in cases:
            able = sum(cell.state.status == "ok" for cell in models)
            size = models[0].case.name.partition("/")[2].replace("/", " ")
            lists = ", ".join(models[0].sizes) or "bench program only"
            yield f"      {size}  [{lists}]  on {able} of {len(models)} models"

"""Remembers what iterations took on this host, so that a run does not start cells that are known to be too expensive.

One file of the user's cache for each kind of machine, of the last one that was measured on. It is worth nothing to
anybody else, so whatever is wrong with it costs a line at most.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from driver.session.cells import Cell
from vocabulary import same_machine
from vocabulary.user_cache import user_cache

_VERSION = 2
_LARGEST = 64 << 20
_FADES = 0.9  # what was not measured again, because it would have been too dear: some day it is tried once more
_FAULTS = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class Costs:
    """What is known of the costs on one kind of machine with so many cores."""

    def __init__(self, host: Mapping[str, Any], cores: int) -> None:
        kind = [*(host.get(key) for key in ("cpu_model", "logical_cores", "arch")), cores]
        self._host = host
        folder = user_cache()
        self._file = folder and folder / f"costs-{hashlib.sha256(json.dumps(kind).encode()).hexdigest()[:16]}.json"

    def recall(self, cells: Sequence[Cell], programs: Mapping[str, str], say: Callable[[str], None]) -> list[Cell]:
        """The cells with what each took. `programs`: fingerprint of each model's program; costs of another are not
        taken."""
        try:
            models = self._read()
            models = {name: model["cells"] for name, model in models.items() if model["program"] == programs.get(name)}
            known = {cell.id: models.get(cell.model, {}).get(cell.id) for cell in cells}
            return [replace(cell, known_ns=known[cell.id]) if _is_time(known[cell.id]) else cell for cell in cells]
        except PermissionError:
            # somebody else's home: the costs are done without, as they are where they cannot be kept
            pass
        except _FAULTS:
            folder = self._file is not None and self._file.is_dir()
            anew = "no file of costs: it is not used, and written anew at the end"
            say(f"{self._file} is {'a folder: remove it, or no costs are kept' if folder else anew}")
        return list(cells)

    def keep(self, cells: Iterable[Cell], programs: Mapping[str, str]) -> None:
        """Beside what is known of other cells. A cache that cannot be written is done without."""
        if self._file is None:
            return
        models: dict[str, Any] = {}
        with suppress(*_FAULTS):
            models = self._read()
        for name, program in programs.items():
            if models.get(name, {}).get("program") != program:
                models[name] = {"program": program, "cells": {}}
        for cell in cells:
            known = _known(cell)
            if known is not None and cell.model in programs:
                models[cell.model]["cells"][cell.id] = known
        unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(
                json.dumps({"version": _VERSION, "host": self._host, "models": models}, separators=(",", ":")),
                encoding="utf-8",
            )
            unfinished.replace(self._file)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()

    def _read(self) -> dict[str, Any]:
        """The models; none where there is no such file, or one of another machine."""
        if self._file is None or not self._file.exists():
            return {}
        if not self._file.is_file() or self._file.stat().st_size > _LARGEST:  # a pipe would be waited for
            raise ValueError
        kept = json.loads(self._file.read_bytes())
        if kept["version"] != _VERSION or same_machine.differences(kept["host"], self._host):
            return {}
        return {
            name: {"program": model["program"], "cells": dict(model["cells"])} for name, model in kept["models"].items()
        }


def _is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63  # true is an int, too


def _known(cell: Cell) -> int | None:
    if cell.state.single_ns is not None:
        return cell.state.single_ns
    if cell.known_ns is not None:
        return round(cell.known_ns * _FADES)
    return cell.state.projected_ns

"""How models look in every chart: colour = family, marker = variant, one or two letters for tiles. Readable without
colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports.cases.run import Model

# Okabe and Ito's colours, which remain distinct for colour-blind readers.
FAMILY_COLOURS = {
    "serial": "#6b6b6b",
    "event_loop": "#0072b2",
    "threads": "#d55e00",
    "processes": "#009e73",
    "fibers": "#cc79a7",
    "tbb": "#e69f00",
    "peer": "#56b4e9",
}
_DARK_TEXT = {"tbb", "peer", "fibers"}  # families whose colour is too light for white letters
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
_LINES = ("-", "--", "-.", ":")

_CODES = {
    "serial": "S",
    "event_loop": "E",
    "event_loop_uring": "Eu",
    "event_loop_per_core": "Ec",
    "event_loop_threads": "Et",
    "event_loop_processes": "Ep",
    "event_loop_tasks": "Eg",
    "thread_pool": "T",
    "thread_pool_wide": "Tw",
    "thread_pool_chunked": "Tc",
    "thread_per_task": "Tt",
    "thread_pool_queue": "Tq",
    "process_pool": "P",
    "process_pool_wide": "Pw",
    "process_pool_chunked": "Pc",
    "process_pool_pipe": "Pp",
    "process_per_task": "Pt",
    "fibers": "F",
    "fibers_multi": "Fm",
    "fibers_stock": "Fs",
    "tbb_tasks": "B",
    "tbb_parallel_for": "Bf",
    "tbb_resumable": "Br",
    "asio": "A",
    "py_asyncio": "Ya",
    "py_uvloop": "Yu",
    "py_threads": "Yt",
    "py_processes": "Yp",
}


@dataclass(frozen=True)
class Style:
    """How a model is drawn, the same in every figure."""

    code: str
    colour: str
    text_colour: str  # of letters on that colour
    marker: str
    line: str
    family: str
    engineering: str = ""  # textbook, best or library; empty where the run does not say

    @property
    def tag(self) -> str:
        """What stands beside the name."""
        return f"{self.code}, {self.engineering}" if self.engineering else self.code


def model_styles(models: Iterable[Model]) -> dict[str, Style]:
    """A style for each model but native twins, which stand in no chart beside others; the same model has the same in
    every run, an unknown one gets letters that are still free."""
    result: dict[str, Style] = {}
    used = set(_CODES.values())
    known = list(_CODES)
    families: dict[str, list[str]] = {}
    for model in sorted(
        (m for m in models if m.native_of is None),
        key=lambda m: (known.index(m.id) if m.id in known else len(known), m.id),
    ):
        family = model.family if model.family in FAMILY_COLOURS else "peer"
        code = _CODES.get(model.id) or _free_code(model.id, used)
        used.add(code)
        variants = families.setdefault(family, [k for k in known if _family_of(k) == family])
        if model.id not in variants:
            variants.append(model.id)
        place = variants.index(model.id)
        result[model.id] = Style(
            code=code,
            colour=FAMILY_COLOURS[family],
            text_colour="#000000" if family in _DARK_TEXT else "#ffffff",
            marker=_MARKERS[place % len(_MARKERS)],
            line=_LINES[place % len(_LINES)],
            family=family,
            engineering=model.engineering or "",
        )
    return result


def _family_of(id: str) -> str:
    first = _CODES[id][0]
    return {"S": "serial", "E": "event_loop", "T": "threads", "P": "processes", "F": "fibers", "B": "tbb"}.get(
        first, "peer"
    )


def _free_code(id: str, used: set[str]) -> str:
    letters = [c for c in id if c.isalnum()] or ["x"]
    first = letters[0].upper()
    candidates = [first, *(first + c.lower() for c in letters[1:]), *(first + str(n) for n in range(2, 100))]
    return next((c for c in candidates if c not in used), id)


def ordered(ids: Iterable[str]) -> list[str]:
    """In the order of the design: families first, then variants, unknown models last."""
    known = list(_CODES)
    return sorted(ids, key=lambda id: (known.index(id) if id in known else len(known), id))

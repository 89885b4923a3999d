"""`crossover doctor`: is this machine fit to measure on, and how small a difference can it show?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from driver.doctor import findings, probe
from driver.problem import Exit
from driver.session.preset import FULL, QUICK

_MARKS = {"ok": "ok", "warning": "warn", "fatal": "FAIL"}


def examine(as_json: bool, say: Callable[[str], None]) -> Exit:
    """Only what keeps it from measuring at all is an error; the rest is told with what to do about it."""
    found = [pair for looks in findings.ALL for pair in findings.found(looks)]
    fatal = [(name, finding) for name, finding in found if finding.fatal]
    if not as_json:
        _tell(found, say)
    noise = None if fatal else probe.take()
    if as_json:
        say(json.dumps(_document(found, noise), indent=2))
    if noise is None:
        raise findings.fatal(*fatal[0])
    if not as_json:
        for line in ("", *describe(noise)):
            say(line)
    return Exit.OK


def _tell(found: list[tuple[str, findings.Finding]], say: Callable[[str], None]) -> None:
    width = max(len(name) for name, _ in found)
    for name, finding in found:
        say(
            f"{_MARKS[finding.level]:<4}  {name:<{width}} "
            f" {finding.text}{f': {finding.remedy}' if finding.remedy else ''}"
        )


def _document(found: list[tuple[str, findings.Finding]], noise: probe.Noise | None) -> dict[str, object]:
    return {
        "$schema": "doctor-1.schema.json",
        "schema_version": {"major": 1, "minor": 0},
        "findings": [
            {"name": name, "level": finding.level, "text": finding.text, "remedy": finding.remedy}
            for name, finding in found
        ],
        "noise": None if noise is None else {"rounds": noise.rounds, "floor": noise.floor, "resolves": noise.resolves},
    }


def describe(noise: probe.Noise) -> Iterator[str]:
    """The noise floor in lines, and from what difference on each mode can show one."""
    yield (
        f"noise floor: two equal processes seemed to differ by {noise.floor:.1%} over {noise.rounds} rounds (computing"
        " on all cores)"
    )
    for preset in (QUICK, FULL):
        smallest = noise.resolves[preset.name]
        if smallest is None:
            yield (
                f"{preset.name}: not known: this machine made {noise.rounds} rounds only, {preset.typical_rounds} are"
                " needed"
            )
        else:
            yield (
                f"{preset.name} ({preset.typical_rounds} rounds) can show one model to be slower than another from a"
                f" difference of {smallest:.0%} on"
            )

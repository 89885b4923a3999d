"""The claims of the asyncio tutorials, in their order, each with the cells that test it and the verdict of this run.

Where a model has a textbook variant, that judges, and the check of the best one stands beside it. A claim holds if
every check of it on the C++ models is shown to hold, and does not hold as soon as one is shown not to. Where it does
not hold in C++ but all its checks on CPython do, it holds only in CPython. Otherwise it is unresolved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reports.analysis.evidence import NOTHING, Check, Evidence, Point, Side, named
from reports.analysis.rules import RULES, Rule
from reports.cases.cases import Analysis
from reports.cases.run import Run, members_of
from vocabulary.representatives import textbook_of

Outcome = Literal["holds", "does not hold", "holds only in CPython", "unresolved"]
_MOST_SHOWN = 4  # checks in a sentence
_NOT_IN_PYTHON = " In C++ only: the CPython reference has no workload for it."


@dataclass(frozen=True)
class Claim:
    """A sentence of the tutorials with all checks of it."""

    number: int
    text: str
    tested: str  # how, in words, and whether in CPython
    verdict: Outcome
    because: str
    checks: tuple[Check, ...]

    @property
    def tested_here(self) -> bool:
        """This run has something to say of it, if not enough."""
        return self.verdict != "unresolved" or any(check.measured != NOTHING for check in self.checks)


def pythons(analysis: Analysis) -> str:
    """Which Python the rows of the reference ran on; empty if there are none."""
    versions = (
        f"{name} {version}" if name != "python" else version
        for model in analysis.run.models
        for name, version in model.versions.items()
        if "python" in model.versions
    )
    return ", ".join(dict.fromkeys(versions))


def claims(analysis: Analysis) -> tuple[Claim, ...]:
    """All of them, judged by the cells of this run."""
    by_textbook, by_best = Evidence(analysis, textbook_of(members_of(analysis.run.models))), Evidence(analysis)
    return tuple(
        _judged(number, rule, _side_by_side(rule.checks(by_textbook), rule.checks(by_best)))
        for number, rule in enumerate(RULES, 1)
    )


def _side_by_side(by_textbook: Sequence[Check], by_best: Sequence[Check]) -> list[Check]:
    """One check where both rest on the same cells."""
    checks = []
    for textbook, best in zip(by_textbook, by_best, strict=True):
        same = textbook.cells == best.cells
        checks += (
            [best]
            if same
            else [replace(textbook, engineering="textbook"), replace(best, engineering="best", judges=False)]
        )
    return checks


def judges(ledger: Sequence[Claim]) -> str:
    """Whose variants the claims are judged by."""
    if any(check.engineering for claim in ledger for check in claim.checks):
        return (
            "The textbook variants of the models judge, where this run has them; the checks of the best ones stand"
            " beside theirs and judge nothing."
        )
    return "This run has no textbook variants of the models, so the best ones judge."


def points(textbooks: Mapping[str, str]) -> tuple[Point, ...]:
    """All that the claims are tested with: what a run must measure to judge them. `textbooks`: model → the variant that
    speaks for it."""
    nothing = Run({}, {}, {}, {}, {}, {}, (), (), ())
    evidence = Evidence(Analysis(nothing, ()), textbooks)
    for rule in RULES:
        rule.checks(evidence)
    return tuple(evidence.asked)


def tested(textbooks: Mapping[str, str]) -> list[tuple[str, str, Mapping[str, int]]]:
    """The same, each as model, workload and some params."""
    return [(point.model, point.workload, point.params) for point in points(textbooks)]


def _judged(number: int, rule: Rule, checks: list[Check]) -> Claim:
    compiled, python = _state(checks, "C++"), _state(checks, "CPython")
    verdict: Outcome
    if compiled is None:
        verdict = "unresolved"
    elif compiled:
        verdict = "holds"
    else:
        verdict = "holds only in CPython" if python else "does not hold"
    return Claim(
        number,
        rule.text,
        rule.tested + ("" if any(check.side == "CPython" for check in checks) else _NOT_IN_PYTHON),
        verdict,
        _because(verdict, checks),
        tuple(checks),
    )


def _state(checks: Sequence[Check], side: Side) -> bool | None:
    found = [check.holds for check in checks if check.side == side and check.judges]
    if False in found:
        return False
    return True if found and None not in found else None


def _because(verdict: Outcome, every: Sequence[Check]) -> str:
    """The checks that decided, with their numbers."""
    checks = [check for check in every if check.judges]
    if verdict == "unresolved":
        open_ = [check for check in checks if check.side == "C++" and check.holds is None]
        reasons = list(dict.fromkeys(check.note for check in open_ if check.note))
        more = f"; and {len(reasons) - _MOST_SHOWN} more" if len(reasons) > _MOST_SHOWN else ""
        return (
            f"{len(open_)} of {sum(check.side == 'C++' for check in checks)} checks are open:"
            f" {'; '.join(reasons[:_MOST_SHOWN])}{more}."
        )
    deciding = [check for check in checks if check.side == "C++" and check.holds is (verdict == "holds")]
    if verdict == "holds only in CPython":
        deciding += [check for check in checks if check.side == "CPython"]
    shown = "; ".join(
        f"{named(check)}: {check.measured}, expected {check.expected}" for check in deciding[:_MOST_SHOWN]
    )
    if len(deciding) > _MOST_SHOWN:
        shown += f"; and {len(deciding) - _MOST_SHOWN} more"
    if (
        verdict == "does not hold"
        and any(check.side == "CPython" for check in checks)
        and _state(checks, "CPython") is None
    ):
        shown += ". Whether it holds in CPython this run does not show"
    if verdict == "holds" and _state(checks, "CPython") is False:
        shown += ". In CPython it does not: " + "; ".join(
            f"{check.what}: {check.measured}" for check in checks if check.side == "CPython" and check.holds is False
        )
    return f"{shown}."

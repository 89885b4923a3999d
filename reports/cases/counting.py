"""How many cases of a run have which verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reports.cases import quantities
from reports.cases.cases import Case
from verdicts.deciding import Verdict


def judged(cases: Iterable[Case], metric: str) -> tuple[Case, ...]:
    """Those that a verdict by that metric could stand for: where requests come at a fixed rate, time is no result."""
    return tuple(case for case in cases if metric != "time" or not paced(case))


def paced(case: Case) -> bool:
    """Its requests come at a given rate."""
    return any(cell.offered_per_s is not None for cell in case.cells.values())


def counts(verdicts: Sequence[Verdict]) -> list[str]:
    """a wins 20 and is ahead in 5, 12 ties, …: a part for each model and each kind."""
    of = {
        kind: [verdict for verdict in verdicts if verdict.kind == kind]
        for kind in ("wins", "ahead", "tie", "tie_within", "safe_choice", "open", "none")
    }
    parts = _leading(of["wins"], of["ahead"])
    if ties := len(of["tie"]) + len(of["tie_within"]):
        parts.append(
            quantities.counted(ties, "tie") + _within(ties, [verdict.within or 0.0 for verdict in of["tie_within"]])
        )
    if of["safe_choice"]:
        most = max(verdict.regret or 0.0 for verdict in of["safe_choice"])
        parts.append(
            f"{len(of['safe_choice'])} open with a safe choice at most {quantities.at_most(most)} from the best"
        )
    if of["open"]:
        behind = sum(bool(verdict.slower) for verdict in of["open"])
        parts.append(
            f"{len(of['open'])} open" + (f" (in {behind} of them some are shown to be behind)" if behind else "")
        )
    alone = sum(bool(verdict.best_set) for verdict in of["none"])
    if alone:
        parts.append(f"{alone} without a rival")
    if len(of["none"]) > alone:
        parts.append(f"{len(of['none']) - alone} without a verdict")
    return parts


def _within(ties: int, shares: Sequence[float]) -> str:
    """How wide the ties are that are not within 5 %."""
    if not shares:
        return ""
    return f" ({'all' if len(shares) == ties else f'{len(shares)} of them'} within {quantities.at_most(max(shares))})"


def _leading(wins: Sequence[Verdict], ahead: Sequence[Verdict]) -> list[str]:
    won, led = Counter(verdict.best or "" for verdict in wins), Counter(verdict.best or "" for verdict in ahead)
    parts = []
    for model in sorted(won | led, key=lambda model: (-won[model], -led[model], model)):
        leads = f"is ahead in {led[model]}" if led[model] else ""
        parts.append(
            f"{model} " + " and ".join(part for part in (f"wins {won[model]}" if won[model] else "", leads) if part)
        )
    return parts

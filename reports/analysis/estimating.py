"""A verdict for a mix between measured ones, from the models' surfaces: which models tie, and how far the safe choice
may be behind."""

from __future__ import annotations

import math
from collections.abc import Mapping

from reports.analysis.surface import Surface, Work, between
from reports.cases.appearance import ordered
from verdicts.deciding import WIDEST, Kind, Verdict
from verdicts.statistics import MARGIN, Bounds, Ratio

_LOG_MARGIN = math.log(MARGIN)


def estimated(surfaces: Mapping[str, Surface], work: Work) -> Verdict:
    """Of at least one model. Never a tie: an estimate that is so exact would have to be measured."""
    names = ordered(surfaces)
    best = min(names, key=lambda name: surfaces[name].log_ns(work))
    if len(names) == 1:
        return Verdict("none", (best,), (), {best: Ratio(1.0, 1.0, 1.0)}, 0, reason="no rival was measured")
    ratio = {
        (over, under): between(surfaces[over], surfaces[under], work)
        for over in names
        for under in names
        if over != under
    }
    others = sorted((name for name in names if name != best), key=lambda name: ratio[name, best].value)
    slower = tuple(name for name in others if ratio[name, best].claim_low > _LOG_MARGIN)
    members = (best, *(name for name in others if name not in slower))
    regrets = {
        name: _share(max((-ratio[rival, name].low for rival in members if rival != name), default=0.0))
        for name in ordered(members)
    }
    safe = min(regrets, key=lambda name: regrets[name])
    within = _share(max((ratio[name, best].high for name in members[1:]), default=0.0))
    return Verdict(
        _kind(len(members), within, regrets[safe]),
        members,
        slower,
        {best: Ratio(1.0, 1.0, 1.0)} | {name: _shown(ratio[name, best]) for name in others},
        0,
        within=within if math.isfinite(within) else None,
        safe_choice=safe,
        regret=regrets[safe] if math.isfinite(regrets[safe]) else None,
    )


def _kind(members: int, within: float, regret: float) -> Kind:
    if members == 1:
        return "wins"
    return "tie_within" if within <= WIDEST else "safe_choice" if regret <= WIDEST else "open"


def _share(log: float) -> float:
    return math.expm1(max(0.0, log)) if log < 50 else math.inf


def _shown(bounds: Bounds) -> Ratio:
    return bounds.ratio if math.isfinite(bounds.error) else Ratio(math.exp(bounds.value))

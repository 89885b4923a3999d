"""What a case says about its models, look after look: who is out, whether it is decided, and how much the safe choice
can cost.

The driver asks it when to stop, the report what to say: the same rounds give the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Literal

from verdicts.statistics import MARGIN, PROCESSES, Bounds, Ratio, Series, common_rounds, pair
from vocabulary.looks import LOOKS

Kind = Literal["wins", "ahead", "tie", "tie_within", "safe_choice", "open", "none"]
WIDEST = 0.15  # a tie within more, or a regret beyond, says nothing
AT_BOUND = 1.02  # times the least possible time: nobody can be ahead there
CLEARLY_SLOWER = 1.5  # in each of too few rounds for an interval
_CONTRADICTED = 3.0  # standard errors between what was found and what later rounds say
_MEDIAN_WASTES = math.pi / 2  # its variance over that of the mean
_LOG_MARGIN = math.log(MARGIN)


@dataclass(frozen=True)
class Verdict:
    """The outcome of one case in one metric.

    wins: all others are more than 5 % slower; ahead: all others are slower; tie: all of the best set are within 5 % of
    its best; tie_within: within `within`; safe_choice: none of these, but the safe choice is at most `regret` behind
    whoever is best; open: not even that; none: nothing to compare.
    """

    kind: Kind
    best_set: tuple[str, ...]  # not shown to be slower; the first is the best, the others follow by their estimates
    slower: tuple[str, ...]  # more than 5 % slower than the best, nearest first
    ratios: Mapping[str, Ratio]  # to the best
    rounds: int  # on which it rests
    looks: int = 0
    # of the slower ones those that a look has shown to be slower → rounds of that look
    eliminated: Mapping[str, int] = field(default_factory=dict)
    within: float | None = None  # by how much the others of the best set may be slower than its best, as a share
    safe_choice: str | None = None  # of the best set the one with the least regret
    regret: float | None = None  # how much slower than the true best the safe choice may be, as a share
    error: float = 0.0  # the largest standard error of a log ratio to the best within the best set
    reason: str = ""  # of kind none, or of one that later rounds have opened again

    @property
    def best(self) -> str | None:
        """The model that seems best; None without a verdict."""
        return self.best_set[0] if self.best_set else None

    @property
    def decided(self) -> bool:
        """It says in words who is best."""
        return self.kind in ("wins", "ahead", "tie", "tie_within")

    @property
    def finished(self) -> bool:
        """More rounds would change nothing."""
        return self.kind == "none" or (self.kind in ("wins", "ahead", "tie") and not self.reason)


def decide(
    values: Mapping[str, Series],
    competing: Set[str],
    *,
    known_slower: Set[str] = frozenset(),
    bound: float | None = None,
    looks: Sequence[int] = LOOKS,
    under_way: bool = False,
) -> Verdict:
    """Of one case. `values`: model → its value in every round (smaller is better). Models outside `competing` get a
    ratio and nothing else.

    `known_slower` competes and was shown to be slower otherwise: stopped early, or projected beyond what it may cost.
    `bound`: the least possible value. `under_way`: more rounds may come, so that nothing is looked at between two
    looks.
    """
    contenders = {name: values[name] for name in sorted(competing & values.keys()) if values[name].values}
    eligible = {name: series for name, series in contenders.items() if name not in known_slower}
    least = looks[0]
    if len(eligible) == 1 and len(next(iter(eligible.values())).values) >= least:
        found = _alone(next(iter(eligible)), bool(known_slower & competing))
    else:
        found = _after_looks(eligible, bound, looks, under_way) or _nothing(values, contenders, eligible, least)
    return _completed(found, values, known_slower & competing, least)


def _after_looks(
    eligible: Mapping[str, Series], bound: float | None, looks: Sequence[int], under_way: bool
) -> Verdict | None:
    """None before the first look."""
    found: Verdict | None = None
    eliminated: dict[str, int] = {}
    remaining = set(eligible)
    for number, look in enumerate(looks, 1):
        rounds = _shared_rounds(eligible[name] for name in remaining)
        if len(rounds) < look:
            if under_way or found is None or found.reason or len(rounds) <= found.rounds:
                break
            look = len(rounds)  # the last one: at all that there is
        last = rounds[look - 1]
        so_far = {name: _part(series, lambda r: r <= last) for name, series in eligible.items()}
        found, remaining = _look_at_all(so_far, remaining, bound, looks[0])
        eliminated = {name: eliminated.get(name, look) for name in found.slower}
        found = replace(found, rounds=look, looks=number, eliminated=eliminated)
        if found.finished:
            if not (doubted := _contradicted(found, eligible, last)):
                break
            found = _opened(found, doubted)
            eliminated = {}
            remaining = set(eligible)
    return found


def _look_at_all(
    so_far: Mapping[str, Series], remaining: Set[str], bound: float | None, least: int
) -> tuple[Verdict, set[str]]:
    """The verdict of a look, and who remains. Who was out comes back where the rounds so far, against the present best,
    no longer say that it is slower: it may have been measured on for another metric, or against another best. A verdict
    never stands beside an interval that contradicts it."""
    judged = set(remaining)
    while True:
        found = _look({name: series for name, series in so_far.items() if name in judged}, bound, least)
        out = {name: between(so_far[name], so_far[found.best_set[0]], least) for name in so_far if name not in judged}
        back = {name for name, one in out.items() if one.low <= _LOG_MARGIN}
        if not back:
            ratios = {**found.ratios, **{name: ratio_of(one) for name, one in out.items()}}
            return replace(found, slower=(*found.slower, *out), ratios=ratios), set(found.best_set)
        judged |= back


def known_slower(medians: Mapping[str, float], projected: Mapping[str, float], stopped: Set[str]) -> set[str]:
    """Of the models that compete by time those that lose without an interval. `medians`: of those that were measured;
    `projected`: the least that the others would have taken; `stopped`: those that were stopped before the first look,
    as clearly slower."""
    least = min((value for model, value in medians.items() if model not in stopped), default=None)
    return set(stopped) | {
        model for model, value in projected.items() if least is not None and value >= CLEARLY_SLOWER * least
    }


def _shared_rounds(series: Iterable[Series]) -> list[int]:
    """The rounds in which at least two took part."""
    counts: dict[int, int] = {}
    for one in series:
        for r in one.values:
            counts[r] = counts.get(r, 0) + 1
    return sorted(r for r, count in counts.items() if count >= 2)


def _part(series: Series, wanted: Callable[[int], bool]) -> Series:
    return Series({r: value for r, value in series.values.items() if wanted(r)}, series.process)


_UNKNOWN = Bounds(math.inf, -math.inf, math.inf, -math.inf, math.inf, math.inf)


def between(over: Series, under: Series, least: int) -> Bounds:
    """Of a log ratio of which too few rounds tell little, or that it is large."""
    found = pair(over, under, least)
    if found is not None:
        return found
    logs = [math.log(over.values[r] / under.values[r]) for r in common_rounds(over, under)]
    if not logs:
        return _UNKNOWN
    surely = math.inf if min(logs) >= math.log(CLEARLY_SLOWER) else -math.inf
    return replace(_UNKNOWN, value=median(logs), low=surely, claim_low=surely)


def _look(measured: Mapping[str, Series], bound: float | None, least: int) -> Verdict:
    best = fastest({name: series for name, series in measured.items() if series.values}, least)
    against = {name: between(series, measured[best], least) for name, series in measured.items() if name != best}
    order = sorted(against, key=lambda name: (against[name].value, name))
    slower = tuple(name for name in order if against[name].claim_low > _LOG_MARGIN)
    members = (best, *(name for name in order if name not in slower))
    others = [against[name] for name in members[1:]]
    within = _share(max((one.high for one in others), default=0.0))
    safe, regret = _safe_choice({name: measured[name] for name in members}, least)
    kind: Kind
    if not others:
        kind = "wins"
    elif all(one.claim_low > 0 for one in others) and _processes_differ_little(measured[best]):
        kind = "ahead"
    elif within < MARGIN - 1 or _all_at_bound([measured[name] for name in members], bound):
        kind = "tie"
    else:
        kind = "tie_within" if within <= WIDEST else "safe_choice" if regret <= WIDEST else "open"
    ratios = {best: Ratio(1.0, 1.0, 1.0)} | {name: ratio_of(one) for name, one in against.items()}
    return Verdict(
        kind,
        members,
        slower,
        ratios,
        0,
        within=_finite(within),
        safe_choice=safe,
        regret=_finite(regret),
        error=max((one.error for one in others), default=0.0),
    )


def _processes_differ_little(best: Series) -> bool:
    """A lead of less than the margin may be that of one process over another until several have been measured; then
    their spread is in the interval."""
    seen = {best.process.get(r) for r in best.values}
    return seen == {None} or len(seen) >= PROCESSES


def _share(log: float) -> float:
    """By how much more, of a log ratio; never less than nothing."""
    return math.expm1(max(0.0, log)) if log < 50 else math.inf


def _finite(share: float) -> float | None:
    return share if math.isfinite(share) else None


def ratio_of(one: Bounds) -> Ratio:
    """Without an interval where the error is not known."""
    return one.ratio if math.isfinite(one.error) else Ratio(math.exp(one.value))


def _all_at_bound(members: Iterable[Series], bound: float | None) -> bool:
    return (
        bound is not None
        and bound > 0
        and all(series.values and median(series.values.values()) <= AT_BOUND * bound for series in members)
    )


def _safe_choice(members: Mapping[str, Series], least: int) -> tuple[str, float]:
    """The member that can be least behind whichever is best, and by how much."""
    behind = {
        name: regret_of(own, [rival for other, rival in members.items() if other != name], least)
        for name, own in members.items()
    }
    safe = min(members, key=lambda name: behind[name])
    return safe, behind[safe]


def regret_of(own: Series, rivals: Iterable[Series], least: int) -> float:
    """By how much more than the best of them it may take at most: the upper bound of the multiple comparison with the
    best (Hsu 1984)."""
    return _share(max((-between(rival, own, least).low for rival in rivals), default=0.0))


def fastest(measured: Mapping[str, Series], least: int) -> str:
    """Lowest median, unless another one is ahead of it within rounds."""
    first = min(measured, key=lambda name: (median(measured[name].values.values()), name))

    def behind(name: str) -> float:
        if name == first:
            return 0.0
        found = pair(measured[name], measured[first], least)
        return math.inf if found is None else found.value

    return min(measured, key=lambda name: (behind(name), name != first, name))


def _contradicted(found: Verdict, eligible: Mapping[str, Series], last: int) -> tuple[str, ...]:
    """The models of which the rounds after a look that ended the case say otherwise, far beyond chance."""
    best = found.best_set[0]
    doubted = []
    for name in (*found.best_set[1:], *found.slower):
        before = pair(_part(eligible[name], lambda r: r <= last), eligible[best], 2)
        rounds = [r for r in common_rounds(eligible[name], eligible[best]) if r > last]
        if before is None or len(rounds) < 2:
            continue
        if name in found.slower:
            low, high = _LOG_MARGIN, math.inf
        else:
            low, high = (0.0, math.inf) if found.kind == "ahead" else (-_LOG_MARGIN, _LOG_MARGIN)
        estimate = before.value
        logs = sorted(
            (math.log(eligible[name].values[r] / eligible[best].values[r]) for r in rounds),
            key=lambda log: abs(log - estimate),
        )
        middle = logs[(len(logs) - 1) // 2]  # of two the one that says less
        spread = before.error * math.sqrt(1 + found.rounds * _MEDIAN_WASTES / len(rounds))
        if not low < middle < high and abs(middle - estimate) > _CONTRADICTED * spread:
            doubted.append(name)
    return tuple(doubted)


def _opened(found: Verdict, doubted: Sequence[str]) -> Verdict:
    members = (*found.best_set, *(name for name in doubted if name not in found.best_set))
    slower = tuple(name for name in found.slower if name not in members)
    return replace(
        found,
        kind="open",
        best_set=members,
        slower=slower,
        within=None,
        regret=None,
        reason=f"later rounds contradict it: {', '.join(doubted)}",
    )


def _alone(name: str, others_slower: bool) -> Verdict:
    ratios = {name: Ratio(1.0, 1.0, 1.0)}
    if others_slower:
        return Verdict("wins", (name,), (), ratios, 0, safe_choice=name, regret=0.0)
    return Verdict("none", (name,), (), ratios, 0, reason="no rival was measured")


def _nothing(
    values: Mapping[str, Series], contenders: Mapping[str, Series], eligible: Mapping[str, Series], least: int
) -> Verdict:
    """Ratios of medians without intervals: too few rounds for more."""
    most = max((len(series.values) for series in (eligible or contenders).values()), default=0)
    nothing = (
        "no competing model was measured"
        if any(series.values for series in values.values())
        else "nothing was measured"
    )
    ratios = {}
    if contenders:
        medians = {name: median(series.values.values()) for name, series in values.items() if series.values}
        ratios = {name: Ratio(value / min(medians[name] for name in contenders)) for name, value in medians.items()}
    common = len(_shared_rounds(eligible.values())) if len(eligible) > 1 else most
    return Verdict("none", (), (), ratios, common, reason=f"{common} of at least {least} rounds" if most else nothing)


def _completed(found: Verdict, values: Mapping[str, Series], known_slower: Set[str], least: int) -> Verdict:
    """With the ratios of models that were at no look, from all rounds that they share with the best."""
    if found.best is None:
        return found
    best, ratios = values[found.best], dict(found.ratios)
    for name in sorted(values):
        if name not in ratios and common_rounds(values[name], best):
            ratios[name] = ratio_of(between(values[name], best, least))
    slower = sorted(
        {*found.slower, *known_slower}, key=lambda name: (ratios[name].value if name in ratios else math.inf, name)
    )
    return replace(found, slower=tuple(slower), ratios=ratios, rounds=found.rounds or len(best.values))


def settle(everything: Verdict, quiet: Verdict) -> Verdict:
    """The verdict on all rounds, unless that on the undisturbed ones contradicts it: then it is open.

    Fewer rounds show less, which is no contradiction; it is one where either shows a model to be slower that the other
    shows not to be.
    """
    shown_near = set(quiet.best_set if quiet.kind == "tie" else quiet.best_set[:1]) if quiet.decided else set()
    if not everything.decided or not (
        set(everything.best_set) & set(quiet.slower) or shown_near & set(everything.slower)
    ):
        return everything
    members = everything.best_set + tuple(name for name in quiet.best_set if name not in everything.best_set)
    slower = tuple(name for name in everything.slower if name not in members)
    return replace(
        everything,
        kind="open",
        best_set=members,
        slower=slower,
        within=None,
        regret=None,
        reason="the undisturbed rounds alone say otherwise",
    )

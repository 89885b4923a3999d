"""Cases with a known truth, decided as the driver does it: how often is what they say false?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np
from tests.reports.synthetic import log_noise
from verdicts import deciding, statistics
from verdicts.deciding import Verdict, decide
from verdicts.statistics import MARGIN, Bounds, Series
from vocabulary.looks import LOOKS

_ROUNDING = 1e-9
ROUNDS = 192  # of a trial: hardly a case has more, and the bounds of eight looks hold for six
_LARGE = 400_000  # rounds that show the truth of skewed noise
Array = np.ndarray


@dataclass(frozen=True)
class Scenario:
    """What is true of the models of one case, and the noise over it."""

    ratios: tuple[float, ...]  # true values of the models
    # of log-normal noise, half of its variance common to all models of a round; 5 % of the rounds are heavy
    cv: float = 0.1
    process: float = 0.0  # SD of the log factor by which each process of each model is off
    rounds_per_process: int = 3
    drift: float = 0.0  # of the logarithm over the whole run, the same for all models
    # CV of gamma noise, by model, instead of the log-normal one: skewed, each model's in another way
    gamma: tuple[float, ...] = ()
    # mean of exponential noise of the logarithm, by model, instead of it: as skewed as delays are
    delay: tuple[float, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(f"m{k}" for k in range(len(self.ratios)))

    @property
    def skewed(self) -> bool:
        return bool(self.gamma or self.delay)

    def noise(self, generator: np.random.Generator, rounds: int) -> Array:
        """Logarithms, one row per round."""
        shape = rounds, len(self.ratios)
        logs = log_noise(generator, shape, 0.0 if self.skewed else self.cv)
        if self.gamma:
            logs += np.log(np.maximum(0.2, generator.gamma(1 / np.square(self.gamma), np.square(self.gamma), shape)))
        if self.delay:
            logs += np.asarray(self.delay) * generator.standard_exponential(shape)
        if self.process:
            processes = -(-rounds // self.rounds_per_process)
            factors = self.process * generator.standard_normal((processes, len(self.ratios)))
            logs += np.repeat(factors, self.rounds_per_process, axis=0)[:rounds]
        return logs + self.drift * np.linspace(0, 1, rounds)[:, None]

    def truth(self) -> tuple[Array, Array]:
        """The shift that each model's noise needs, and the true log ratio of model j to model i at [i, j]: the
        interquartile mean within rounds."""
        logs = np.log(self.ratios)
        if not self.skewed:  # a difference of two of the same distribution is symmetric
            return logs, logs[None, :] - logs[:, None]
        noise = self.noise(np.random.default_rng(99), _LARGE)
        shift = logs - [_middle(noise[:, k] - noise[:, 0]) for k in range(len(logs))]
        noise += shift
        return shift, np.array(
            [[_middle(noise[:, j] - noise[:, i]) for j in range(len(logs))] for i in range(len(logs))]
        )


def _middle(logs: Array) -> float:
    ordered = np.sort(logs)
    return float(ordered[len(logs) // 4 : -(len(logs) // 4)].mean())


@dataclass
class Tally:
    """Trials in which something false was said, at whichever look the run might have stopped."""

    trials: int = 0
    winners: int = 0  # "wins" over a model within 5 %, or "ahead" of one that is not behind
    ties: int = 0  # a model of the tie differs from its best by more than the tie says
    regrets: int = 0  # the safe choice is further behind than its bound
    eliminations: int = 0  # a model called slower is within 5 % of the best
    kinds: Counter[str] = field(default_factory=Counter)  # at the end
    rounds: Counter[int] = field(default_factory=Counter)  # at the end


def simulate(scenario: Scenario, trials: int, seed: int = 5, ends: bool = False, rounds: int = ROUNDS) -> Tally:
    """`ends`: the time of each run is spent after some number of rounds, all orders of magnitude alike; then the case
    is looked at a last time."""
    shift, truth = scenario.truth()
    generator = np.random.default_rng(seed)
    tally = Tally()
    for _ in range(trials):
        values = np.exp(scenario.noise(generator, rounds) + shift)
        most = round(LOOKS[0] * (rounds / LOOKS[0]) ** generator.random()) if ends else rounds
        with patch.object(deciding, "pair", _remembering()):
            said = list(looked_at(scenario, values, most))
        tally.trials += 1
        tally.winners += any(_false_winner(verdict, truth) for verdict in said)
        tally.ties += any(_false_tie(verdict, truth) for verdict in said)
        tally.regrets += any(_false_regret(verdict, truth) for verdict in said)
        tally.eliminations += any(_false_elimination(verdict, truth) for verdict in said)
        tally.kinds[said[-1].kind] += 1
        tally.rounds[said[-1].rounds] += 1
    return tally


def _remembering() -> Callable[..., Bounds | None]:
    """pair(), which each look asks again for all looks before it: of one trial a series is known by its first value and
    its length."""
    known: dict[tuple[float, ...], Bounds | None] = {}

    def pair(over: Series, under: Series, least: int) -> Bounds | None:
        key = over.values[0], under.values[0], len(over.values), len(under.values), least
        if key not in known:
            known[key] = statistics.pair(over, under, least)
        return known[key]

    return pair


def looked_at(scenario: Scenario, values: Array, most: int) -> Iterator[Verdict]:
    """The verdict of each look until the case is finished; two more rounds, as a run has them at its end, may open it
    again. A case that is still open after `most` rounds is looked at a last time."""
    for look in LOOKS:
        if look > most:
            if most in LOOKS:
                return
            yield decide(series(scenario, values, most), set(scenario.models))
            return
        verdict = decide(series(scenario, values, look), set(scenario.models))
        yield verdict
        if verdict.finished:
            verdict = decide(series(scenario, values, look + 2), set(scenario.models))
            yield verdict
            if verdict.finished:
                return


def series(scenario: Scenario, values: Array, rounds: int) -> Mapping[str, Series]:
    process = {r: r // scenario.rounds_per_process for r in range(rounds)}
    return {
        model: Series(dict(enumerate(values[:rounds, k].tolist())), process) for k, model in enumerate(scenario.models)
    }


def _index(model: str) -> int:
    return int(model[1:])


def _true(truth: Array, over: str, under: str) -> float:
    return float(truth[_index(under), _index(over)])


def _false_winner(verdict: Verdict, truth: Array) -> bool:
    if verdict.kind not in ("wins", "ahead") or verdict.best is None:
        return False
    others = np.delete(truth[_index(verdict.best)], _index(verdict.best))
    return bool((others < np.log(MARGIN) - _ROUNDING).any() if verdict.kind == "wins" else (others <= _ROUNDING).any())


def _false_tie(verdict: Verdict, truth: Array) -> bool:
    if verdict.kind not in ("tie", "tie_within") or verdict.best is None:
        return False
    assert verdict.within is not None
    return any(
        abs(_true(truth, model, verdict.best)) > np.log1p(verdict.within) + _ROUNDING for model in verdict.best_set
    )


def _false_regret(verdict: Verdict, truth: Array) -> bool:
    if verdict.regret is None or verdict.safe_choice is None:
        return False
    return bool(-truth[_index(verdict.safe_choice)].min() > np.log1p(verdict.regret) + _ROUNDING)


def _false_elimination(verdict: Verdict, truth: Array) -> bool:
    best = int(truth.min(axis=1).argmax())  # nobody is ahead of it
    return any(truth[best, _index(model)] < np.log(MARGIN) - _ROUNDING for model in verdict.slower)

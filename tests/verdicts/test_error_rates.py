"""How often verdicts are false where the truth is known. A trial is false if the case says something false at any look
until it is finished: the run may stop there."""

from __future__ import annotations

import numpy as np
import pytest
from verdicts import aa_control
from vocabulary.looks import LOOKS
from scipy import stats
from tests.verdicts.simulated import ROUNDS, Scenario, looked_at, simulate

TRIALS = 1000
LIMITS = {"winners": 0.01, "ties": 0.025, "regrets": 0.025}
NOISE = (0.02, 0.1, 0.3)
RATIOS = {
    "2 equal": (1.0,) * 2,
    "5 equal": (1.0,) * 5,
    "8 equal": (1.0,) * 8,
    "1.05": (1.0, 1.05),
    "1 and 4 at 1.05": (1.0,) + (1.05,) * 4,
    "1.02": (1.0, 1.02),
    "3 equal and 5 twice as slow": (1.0,) * 3 + (2.0,) * 5,
}
SCENARIOS = {f"{name}, CV {cv:.0%}": Scenario(ratios, cv) for cv in NOISE for name, ratios in RATIOS.items()}
SCENARIOS |= {
    f"drift of 30 %, {name}, CV {cv:.0%}": Scenario(RATIOS[name], cv, drift=0.3)
    for cv in NOISE
    for name in ("2 equal", "1.05")
}
SCENARIOS |= {
    f"processes of {rounds} rounds off by 5 %, {name}, CV {cv:.0%}": Scenario(
        RATIOS[name], cv, process=0.05, rounds_per_process=rounds
    )
    for cv in NOISE
    for rounds in (3, 6)
    for name in ("2 equal", "1.05")
}
SCENARIOS |= {
    f"skewed noise of CV {' and '.join(f'{cv:.0%}' for cv in gamma)}, {ratio:g}": Scenario(
        (1.0,) + (ratio,) * (len(gamma) - 1), gamma=gamma
    )
    for gamma in ((0.1, 0.5), (0.5, 0.1), (0.02, 0.5, 0.2))
    for ratio in (1.0, 1.05)
}
SCENARIOS |= {
    f"exponential delays of 2 % and 10 %, {ratio:g}": Scenario((1.0, ratio), delay=(0.02, 0.1)) for ratio in (1.0, 1.05)
}

# Known misses: of 1,000 trials those that were false. The limits stay what deciding.md asks for; who mends one removes
# it here. Two causes: t has fewer degrees of freedom this far out than the n - 2g - 1 that are used, and few processes
# of a program that differ by 5 % cannot be told from its rounds.
MISSES: dict[str, dict[str, int]] = {
    "1.05, CV 30%": {"regrets": 30},
    "1.02, CV 30%": {"regrets": 30},
    "drift of 30 %, 1.05, CV 30%": {"regrets": 30},
    "processes of 3 rounds off by 5 %, 2 equal, CV 2%": {"winners": 21},
    "processes of 3 rounds off by 5 %, 1.05, CV 2%": {"regrets": 42},
    "processes of 6 rounds off by 5 %, 2 equal, CV 2%": {"winners": 29},
    "processes of 6 rounds off by 5 %, 1.05, CV 2%": {"regrets": 110},
    "processes of 3 rounds off by 5 %, 2 equal, CV 10%": {"winners": 24},
    "processes of 3 rounds off by 5 %, 1.05, CV 10%": {"regrets": 28},
    "processes of 6 rounds off by 5 %, 2 equal, CV 10%": {"winners": 34},
    "processes of 6 rounds off by 5 %, 1.05, CV 10%": {"regrets": 53},
    "processes of 3 rounds off by 5 %, 2 equal, CV 30%": {"winners": 14},
    "processes of 3 rounds off by 5 %, 1.05, CV 30%": {"regrets": 35},
    "processes of 6 rounds off by 5 %, 1.05, CV 30%": {"regrets": 34},
    "skewed noise of CV 50% and 10%, 1": {"winners": 18},
    "skewed noise of CV 50% and 10%, 1.05": {"regrets": 30},
    "exponential delays of 2 % and 10 %, 1": {"winners": 20},
    "exponential delays of 2 % and 10 %, 1.05": {"ties": 40},
}


def beyond(name: str, trials: int = TRIALS, ends: bool = False, rounds: int = ROUNDS) -> dict[str, int]:
    """The counts beyond their limits."""
    tally = simulate(SCENARIOS[name], trials, ends=ends, rounds=rounds)
    return {kind: count for kind, limit in LIMITS.items() if (count := getattr(tally, kind)) > _most(limit, trials)}


def _most(limit: float, trials: int) -> float:
    """Of 1,000 trials the limit as it stands; of fewer what chance gives once in a hundred times where the limit is
    just kept."""
    return limit * trials if trials >= TRIALS else float(stats.binom.ppf(0.99, trials, limit))


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_false_winners_ties_and_bounds_are_rare(name: str) -> None:
    found = beyond(name)
    assert found.keys() == MISSES.get(name, {}).keys(), f"beyond the limits: {found or 'nothing'}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["2 equal, CV 30%", "1.05, CV 10%"])
def test_false_winners_ties_and_bounds_are_as_rare_over_all_looks(name: str) -> None:
    assert beyond(name, rounds=LOOKS[-1]) == {}


@pytest.mark.parametrize("name", ["2 equal, CV 10%", "1.05, CV 10%", "3 equal and 5 twice as slow, CV 2%"])
def test_false_winners_ties_and_bounds_are_rare_in_fewer_trials(name: str) -> None:
    assert beyond(name, 200) == {}


@pytest.mark.parametrize("name", ["2 equal, CV 10%", "1.05, CV 10%", "5 equal, CV 10%"])
def test_a_last_look_where_the_time_of_a_run_ends_makes_them_no_more_frequent(name: str) -> None:
    assert beyond(name, 200, ends=True) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in MISSES and "CV 10%" in name])
def test_a_last_look_where_the_time_of_a_run_ends_makes_them_no_more_frequent_in_many_trials(name: str) -> None:
    assert beyond(name, ends=True) == {}


@pytest.mark.parametrize(("ratio", "most"), [(1.5, 24), (1.2, 96)])
def test_a_clear_leader_is_named_early(ratio: float, most: int) -> None:
    """By "wins" or "ahead": either names it, and ends the case."""
    trials = 300
    tally = simulate(Scenario((1.0, ratio), 0.1), trials)
    assert tally.kinds["wins"] + tally.kinds["ahead"] == trials and tally.winners == 0
    assert sum(count for rounds, count in tally.rounds.items() if rounds <= most) >= 0.9 * trials
    # the others end as "ahead", before their lead is shown to be over 5 %
    assert tally.kinds["wins"] >= {1.5: 0.9, 1.2: 0.5}[ratio] * trials


@pytest.mark.slow
@pytest.mark.parametrize("cv", NOISE)
def test_of_a_hundred_comparisons_of_a_model_with_its_twin_one_is_a_false_alarm_and_few_sound_runs_are_distrusted(
    cv: float,
) -> None:
    """Of equal models: here the alarms may exceed 1 % by sampling error. Measured: 0.3 %, 1.1 % and 1.3 %. Runs of 12
    and of 24 comparisons are drawn from them."""
    comparisons = 5000
    scenario, generator = Scenario((1.0, 1.0), cv), np.random.default_rng(77)
    alarms = []
    for _ in range(comparisons):
        *_, last = looked_at(scenario, np.exp(scenario.noise(generator, 192)), 192)
        alarms.append(aa_control.Pair("model", "case", "time", last).apart)
    assert sum(alarms) <= stats.binom.ppf(0.99, comparisons, aa_control.FALSE_ALARM)
    for compared in (12, 24):
        runs = generator.choice(alarms, (TRIALS, compared))
        assert sum(aa_control.distrusted(compared, int(run.sum())) for run in runs) <= 0.05 * TRIALS

"""Who takes part in the next round of a case, what is looked at next, and in which order: on cells with known
samples."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from vocabulary.looks import LOOKS, MEMORY_LOOKS

from driver.measure.case_schedule import CaseSchedule, balanced_order, next_case_of_a_round, next_cases
from driver.session.cells import REFERENCE, REPRESENTATIVE, VARIANT, Case, Cell
from tests.driver.cells import made

MS = 1_000_000
CASE = Case("spin/tasks:1", "spin", {"tasks": 1}, "cpu", "?", "time", "items")


def cell(model: str, case: Case = CASE, **fields: Any) -> Cell:
    return made(case, model, 1, 1, None, "", 0, (), **{"iterations": 1, "single_ns": MS, "asked_ns": MS, **fields})


def measure(one: Cell, rounds: range, time_ms: float = 10, cpu_ms: float = 10, noise: float = 0.0, **more: int) -> Cell:
    """Samples of those rounds, log-normal with that spread around the times; three of each process."""
    for number in rounds:
        source = random.Random(f"{one.id} {number}")
        wall, cpu = (round(value * MS * source.lognormvariate(0, noise)) for value in (time_ms, cpu_ms))
        one.state.samples.append(
            {
                "process": number // 3,
                "round": number,
                "position": 0,
                "iterations": 1,
                "start_ns": 0,
                "wall_ns": wall,
                "asked_ns": wall,
                "cpu_user_ns": cpu,
                "cpu_sys_ns": 0,
                **more,
            }
        )
    return one


def standing(*cells: Cell, done: int = 0, processes: dict[str, int] | None = None) -> CaseSchedule:
    """As it stands after so many whole rounds."""
    case = CaseSchedule(cells, processes or {})
    case.follow(done)
    return case


def taking_part(case: CaseSchedule) -> set[str]:
    return {one.model for one in case.taking_part()}


ALL = range(LOOKS[0])


def test_in_the_first_rounds_all_take_part_but_what_is_only_shown_and_what_cannot() -> None:
    cells = [
        cell("a"),
        cell("b"),
        cell("serial", rank=REFERENCE),
        cell("variant", rank=VARIANT),
        cell("shown", rank=VARIANT, shown_only=True),
    ]
    cells += [
        cell("dear", status="projected"),
        cell("unable", status="unsupported"),
        cell("raw", iterations=None),
        cell("event_loop_twin", rank=REPRESENTATIVE),
    ]
    for done in range(LOOKS[0]):
        assert taking_part(standing(*cells, done=done)) == {"a", "b", "serial", "variant", "event_loop_twin"}


def test_after_the_first_look_only_what_is_in_question_takes_part() -> None:
    near = [measure(cell(model), ALL, noise=0.1) for model in ("a", "b")]
    rest = [measure(cell("slow"), ALL, 50, 50), measure(cell("serial", rank=REFERENCE), ALL)]
    case = standing(*near, *rest, done=LOOKS[0])
    assert (case.open_in, case.goes_on) == (0, True)
    assert taking_part(case) == {"a", "b"}


def test_a_model_that_lost_by_time_stays_until_cpu_is_decided_too() -> None:
    best, lean, slow = (
        measure(cell(model), ALL, wall, cpu, 0.02)
        for model, wall, cpu in (("best", 10, 10), ("lean", 30, 10), ("slow", 30, 30))
    )
    case = standing(best, lean, slow, done=LOOKS[0])
    assert (case.verdicts["time"].kind, case.verdicts["cpu"].finished, case.open_in) == ("wins", False, 1)
    assert taking_part(case) == {"best", "lean"}
    for one in (best, lean):
        measure(one, range(LOOKS[0], LOOKS[3]), one.state.samples[0]["wall_ns"] / MS, 10, 0.02)
    later = standing(best, lean, slow, done=LOOKS[3])
    assert later.verdicts["cpu"].kind == "tie"
    assert (later.open_in, later.goes_on, taking_part(later)) == (None, False, set())


def test_a_twin_follows_its_original() -> None:
    event_loop, pool = measure(cell("event_loop"), ALL, noise=0.1), measure(cell("thread_pool"), ALL, noise=0.1)
    twins = [measure(cell(model), ALL, noise=0.1) for model in ("event_loop_twin", "thread_pool_twin")]
    assert taking_part(standing(event_loop, pool, *twins, done=LOOKS[0])) == {
        "event_loop",
        "thread_pool",
        "event_loop_twin",
        "thread_pool_twin",
    }
    slow, other = measure(cell("thread_pool"), ALL, 50, 50), measure(cell("other"), ALL, noise=0.1)
    assert taking_part(standing(event_loop, slow, other, *twins, done=LOOKS[0])) == {
        "event_loop",
        "other",
        "event_loop_twin",
    }


def test_a_twin_competes_with_nobody() -> None:
    event_loop, twin = measure(cell("event_loop"), ALL, 10), measure(cell("event_loop_twin"), ALL, 5, 5)
    case = standing(event_loop, twin, done=LOOKS[0])
    assert [one.model for one in case.competing()] == ["event_loop"]
    assert (case.verdicts["time"].kind, case.open_in) == ("none", None), "a model without a rival"


def test_what_a_claim_is_judged_by_goes_on_beside_a_decided_case_until_the_third_look() -> None:
    claimed = [cell("fast", claimed=True), cell("py", claimed=True, rank=REFERENCE)]
    for done, goes_on in ((LOOKS[0], True), (LOOKS[1], True), (LOOKS[2], False)):
        for one, wall in zip(claimed, (10, 90)):
            measure(one, range(len(one.state.samples), done), wall, wall)
        other = measure(cell("slow"), ALL, 50, 50)
        case = standing(*claimed, other, done=done)
        assert (case.verdicts["time"].kind, case.open_in) == ("wins", None)
        assert (case.goes_on, taking_part(case)) == (goes_on, {"fast", "py"} if goes_on else set())


def test_a_native_twin_and_its_model_have_their_rounds_together_and_only_the_model_competes() -> None:
    own, twin, best = (
        cell("own", paired=True),
        cell("native_own", paired=True, rank=VARIANT),
        measure(cell("best"), ALL, 1, 1),
    )
    for done, goes_on in ((0, True), (LOOKS[0], True), (LOOKS[2], False)):
        for one, wall in ((own, 90), (twin, 0.5)):
            measure(one, range(len(one.state.samples), done), wall, wall)
        case = standing(own, twin, best, done=done)
        assert {"own", "native_own"} <= taking_part(case) if goes_on else taking_part(case) == set()
        assert {one.model for one in case.competing()} == {"own", "best"}
    assert case.verdicts["time"].best == "best" and "native_own" not in case.verdicts["time"].ratios


def test_the_rounds_of_one_model_alone_tell_nothing() -> None:
    one, failed = measure(cell("a"), ALL, noise=0.1), measure(cell("b"), ALL, noise=0.1)
    assert standing(one, failed, done=LOOKS[0]).goes_on
    assert not standing(
        one,
        replace(failed, state=replace(failed.state, failures=[{"during": "round"}] * 2, status="crashed")),
        done=LOOKS[0],
    ).goes_on


def test_a_case_between_two_looks_stands_as_at_the_last_one() -> None:
    cells = [measure(cell(model), range(10), wall, wall, 0.1) for model, wall in (("a", 10), ("b", 10))]
    case = standing(*cells, done=LOOKS[0])
    found = case.verdicts
    case.follow(10)
    assert (case.done, case.next_look) == (10, LOOKS[1])
    assert case.verdicts is found
    fresh = standing(*cells, done=10)
    assert fresh.verdicts == found, "the same as when the run is resumed there"


def test_a_case_that_memory_decides_is_looked_at_after_three_rounds_and_by_nothing_else() -> None:
    memory = replace(CASE, metric="memory")
    cells = [
        measure(cell(model, memory), range(3), 10 * place, 10 * place, peak_rss_bytes=size)
        for place, (model, size) in enumerate((("a", 1 << 20), ("b", 4 << 20)), 1)
    ]
    assert standing(*cells, done=2).next_look == MEMORY_LOOKS[0] == 3
    case = standing(*cells, done=3)
    assert case.metrics == ("memory",)
    assert (case.verdicts["memory"].kind, case.verdicts["memory"].best) == ("wins", "a")
    assert not case.goes_on


def test_memory_of_several_processes_counts_by_their_shares() -> None:
    memory = replace(CASE, metric="memory")
    one, many = (
        measure(cell(model, memory), range(3), peak_rss_bytes=4 << 20, pss_bytes=1 << 20) for model in ("one", "many")
    )
    assert standing(one, many, done=3, processes={"many": 4}).verdicts["memory"].best == "many"


def test_what_decides_is_open_first_and_a_paced_case_is_not_judged_by_time() -> None:
    assert standing(cell("a"), cell("b")).metrics == ("time", "cpu")
    assert standing(cell("a", replace(CASE, metric="cpu")), cell("b")).metrics == ("cpu", "time")
    paced = replace(CASE, metric="latency", paced_by="rate_per_s")
    assert standing(cell("a", paced), cell("b", paced)).metrics == ("latency", "cpu")
    assert standing(cell("a", replace(CASE, metric="latency")), cell("b")).metrics == ("latency", "cpu", "time")


def test_models_that_are_all_at_the_least_possible_time_tie() -> None:
    def at(walls: tuple[float, float]) -> str:
        cells = [
            measure(replace(cell(model), listed_bound_ns=10 * MS), ALL, wall, 1, 0.001)
            for model, wall in zip("ab", walls)
        ]
        return standing(*cells, done=LOOKS[0]).verdicts["time"].kind

    assert at((10.1, 10.15)) == "tie"
    assert at((10.1, 15)) == "wins", "one of them is not"


def test_a_model_that_was_stopped_or_projected_loses_without_an_interval() -> None:
    best = measure(cell("best"), ALL)
    stopped = measure(cell("stopped", stopped={"rounds": 3, "reason": ""}), range(3), 90, 90)
    projected = cell("projected", status="projected", projected_ns=15 * MS)
    verdict = standing(best, stopped, projected, done=LOOKS[0]).verdicts["time"]
    assert (verdict.kind, verdict.best, set(verdict.slower)) == ("wins", "best", {"stopped", "projected"})
    near = cell("projected", status="projected", projected_ns=14 * MS)
    assert standing(best, near, done=LOOKS[0]).verdicts["time"].kind == "none", "nothing says that it is slower"


def test_where_the_other_side_is_the_limit_neither_time_nor_latency_is_compared() -> None:
    cells = [measure(cell(model), ALL, noise=0.1, origin_cpu_ns=share * MS) for model, share in (("a", 9), ("b", 1))]
    case = standing(*cells, done=LOOKS[0])
    assert (case.verdicts["time"].kind, case.verdicts["cpu"].kind != "none") == ("none", True)


def test_the_rounds_that_may_contradict_are_of_the_best_and_of_what_it_was_last_measured_against() -> None:
    first, last = range(LOOKS[0]), range(LOOKS[1])
    best, near = measure(cell("best"), last, 10, 10, 0.01), measure(cell("near"), last, 11.5, 11.5, 0.05)
    early, serial = measure(cell("early"), first, 50, 50), measure(cell("serial", rank=REFERENCE), first, 5, 5)
    twin = measure(cell("event_loop_twin"), last)
    case = standing(best, near, early, serial, twin, done=LOOKS[1])
    assert (case.verdicts["time"].kind, case.verdicts["time"].eliminated) == (
        "wins",
        {"early": LOOKS[0], "near": LOOKS[1]},
    )
    assert {one.model for one in case.confirming()} == {"best", "near"}


def test_what_is_only_shown_wants_the_first_rounds_and_the_best_is_its_reference() -> None:
    best, slow = measure(cell("best"), ALL), measure(cell("slow"), ALL, 50, 50)
    shown = [measure(cell(f"shown{count}", shown_only=True, rank=VARIANT), range(count)) for count in (0, 5, 6)]
    case = standing(best, slow, *shown, cell("dear", shown_only=True, status="projected"), done=LOOKS[0])
    assert [one.model for one in case.wanting()] == ["shown0", "shown5"]
    assert [one.model for one in case.reference()] == ["best"]


def test_so_many_rounds_are_needed_as_make_the_error_small_enough() -> None:
    second = range(LOOKS[1])
    case = standing(*(measure(cell(model), second, noise=0.1) for model in ("a", "b")), done=LOOKS[1])
    found = case.verdicts["time"]
    assert case.needed_rounds() == pytest.approx(
        found.rounds * (found.error / (0.034 if case.urgency == 0 else 0.017)) ** 2
    )
    noisier = standing(*(measure(cell(model), second, noise=0.3) for model in ("a", "b")), done=LOOKS[1])
    assert noisier.needed_rounds() > 2 * case.needed_rounds() > 0
    assert (
        standing(measure(cell("a"), second), measure(cell("b"), second, 50, 50), done=LOOKS[1]).needed_rounds() == 0
    ), "it is decided"


def case_of(
    name: str,
    sample_ms: int = 1,
    time_noise: float = 0.05,
    cpu_noise: float = 0.05,
    cpus: tuple[float, float] = (10, 10),
    done: int = LOOKS[0],
    times: tuple[float, float] = (10, 10),
) -> CaseSchedule:
    """Two models; the spread of time and CPU by themselves."""
    case = replace(CASE, name=f"spin/{name}")
    cells = [cell(model, case) for model in ("a", "b")]
    for one, wall, cpu in zip(cells, times, cpus):
        measure(one, range(done), wall, cpu, time_noise)
        for sample, other in zip(
            one.state.samples, measure(cell(one.model + "'", case), range(done), wall, cpu, cpu_noise).state.samples
        ):
            sample["cpu_user_ns"], sample["asked_ns"] = other["cpu_user_ns"], sample_ms * MS
    return standing(*cells, done=done)


def names(cases: list[CaseSchedule]) -> list[str]:
    return [case.name.partition("/")[2] for case in cases]


FOREVER = 10**15


def test_the_cheapest_look_comes_first() -> None:
    cases = [case_of("dear", 9), case_of("cheap", 1), case_of("middling", 3)]
    assert len({case.urgency for case in cases}) == 1
    assert names(next_cases(cases, FOREVER, 10)) == ["cheap", "middling", "dear"]
    assert names(next_cases(cases, FOREVER, 2)) == ["cheap", "middling"], "and not too many at a time"


def test_a_case_further_on_costs_more() -> None:
    assert names(next_cases([case_of("late", 2, done=LOOKS[1]), case_of("early", 2)], FOREVER, 10)) == ["early", "late"]
    assert case_of("late", 2, done=LOOKS[1]).look_cost_ns() == pytest.approx(
        2 * case_of("early", 2).look_cost_ns(), rel=0.01
    )


def test_what_has_no_safe_choice_comes_first_and_what_is_open_by_something_else_after_what_decides() -> None:
    unsafe, by_cpu, in_words = (
        case_of("unsafe", 9, 0.1, 0.1, done=LOOKS[1]),
        case_of("by_cpu", 1, 0.01, 0.05, done=LOOKS[1]),
        case_of("in_words", 5, 0.05, 0.05, done=LOOKS[1]),
    )
    assert [case.urgency for case in (unsafe, in_words, by_cpu)] == [0, 1, 2]
    assert names(next_cases([by_cpu, in_words, unsafe], FOREVER, 10)) == ["unsafe", "in_words", "by_cpu"]


def test_what_is_promised_rounds_has_them_whatever_the_looks_say() -> None:
    best, slow = measure(cell("best", promised=12), ALL), measure(cell("slow", promised=12), ALL, 50, 50)
    case = standing(best, slow, done=LOOKS[0])
    assert (case.verdicts["time"].kind, case.promised, taking_part(case)) == ("wins", 12, {"best", "slow"})
    for one, time_ms in ((best, 10), (slow, 50)):
        measure(one, range(LOOKS[0], 12), time_ms, time_ms)
    assert taking_part(standing(best, slow, done=12)) == set()


def test_what_is_left_of_the_time_goes_into_rounds_of_the_case_whose_look_is_nearest() -> None:
    near, far = case_of("near", 1, 0.3, 0.3), case_of("far", 5, 0.3, 0.3)
    assert (found := next_case_of_a_round([far, near], near.look_cost_ns() - 1)) is not None and found.name == near.name
    assert next_case_of_a_round([far, near], near.round_cost_ns()) is None, "no round fits"


def test_a_case_that_stays_open_is_looked_at_as_long_as_there_is_time() -> None:
    assert [case_of("open", 1, 0.9, 0.9, done=done).next_look for done in (96, 192, 384, 500, 768)] == [
        192,
        384,
        768,
        768,
        None,
    ]


def test_what_will_probably_not_be_decided_comes_last() -> None:
    assert case_of("hopeless", 1, 1.9, 1.9).needed_rounds() == 0, "the first rounds do not tell yet"
    hopeless, dear = case_of("hopeless", 1, 1.9, 1.9, done=LOOKS[1]), case_of("dear", 9, 0.05, 0.05, done=LOOKS[1])
    assert hopeless.needed_rounds() > LOOKS[-1] > dear.needed_rounds()
    assert names(next_cases([hopeless, dear], FOREVER, 10)) == ["dear", "hopeless"]
    noisy, calm = case_of("noisy", 9, 0.36, 0.36, done=LOOKS[1]), case_of("calm", 10, 0.1, 0.1, done=LOOKS[1])
    assert (
        noisy.urgency == calm.urgency
        and LOOKS[-1] > noisy.needed_rounds() > 4 * LOOKS[2] > LOOKS[2] > calm.needed_rounds()
    )
    assert names(next_cases([noisy, calm], FOREVER, 10)) == ["noisy", "calm"]
    assert names(next_cases([noisy, calm], 3 * calm.look_cost_ns(), 10)) == [
        "calm",
        "noisy",
    ], "nor is what the time will not suffice for"


def test_nothing_is_begun_whose_look_the_time_does_not_reach() -> None:
    one, two = case_of("one", 1), case_of("two", 2)
    both = one.look_cost_ns() + two.look_cost_ns()
    assert names(next_cases([one, two], both, 10)) == ["one", "two"]
    assert names(next_cases([one, two], both - 1, 10)) == ["one"]
    assert next_cases([one, two], one.look_cost_ns() - 1, 10) == []


def test_neither_a_decided_case_nor_one_after_its_last_look_goes_on() -> None:
    decided = case_of("decided", times=(10, 50), cpus=(10, 50))
    endless = case_of("endless", 1, 0.9, 0.9, done=LOOKS[-1])
    assert (decided.open_in, endless.open_in, endless.next_look) == (None, 0, None)
    assert next_cases([decided, endless], FOREVER, 10) == []


@pytest.mark.parametrize("size", range(2, 10))
def test_over_the_rows_of_the_square_each_model_stands_equally_often_in_each_place_and_behind_each_other_one(
    size: int,
) -> None:
    models = [cell(f"m{number}") for number in range(size)]
    for start in (0, 1, 17):
        orders = [[one.model for one in balanced_order(models, number, start)] for number in range(2 * size)]
        assert all(len(set(order)) == size for order in orders)
        places = Counter((model, place) for order in orders for place, model in enumerate(order))
        assert len(places) == size**2 and set(places.values()) == {2}
        behind = Counter(pair for order in orders for pair in zip(order, order[1:]))
        assert len(behind) == size * (size - 1) and set(behind.values()) == {2}


def test_one_model_alone_or_none_has_one_order() -> None:
    assert balanced_order([], 3, 5) == []
    assert [one.model for one in balanced_order([cell("a")], 3, 5)] == ["a"]

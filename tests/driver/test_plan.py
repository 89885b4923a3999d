"""What is projected, ordered, stopped and left out, on cells with known times."""

from dataclasses import replace
from typing import Any

import pytest

from driver.cells import Case, Cell
from driver.pace import LEAST_ROUNDS
from driver.plan import OVERHEAD_NS, Shed, Standing, afford_fresh_processes, clearly_slower, due, goals, has_enough, least_iterations, predict, processes_due, round_order, sample_cost_ns, seconds, shed

MS = 1_000_000


def cell(model: str, tasks: int = 100, delay_ms: int = 10, **fields: Any) -> Cell:
    case = Case(f"sleepers/tasks:{tasks}/delay_ms:{delay_ms}", "sleepers", {"tasks": tasks, "delay_ms": delay_ms}, "io", "?", fields.pop("metric", "time"), "waits")
    bound = fields.pop("bound_ns", delay_ms * MS)
    made = Cell(case, model, tasks, tasks, bound, "", fields.pop("least_ns", bound), ("quick",))
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def with_samples(model: str, walls_ms: list[float], cpus_ms: list[float], **fields: Any) -> Cell:
    made = cell(model, **fields)
    made.iterations = 1
    for number, (wall, cpu) in enumerate(zip(walls_ms, cpus_ms)):
        made.samples.append({"round": number, "iterations": 1, "wall_ns": round(wall * MS), "asked_ns": round(wall * MS), "cpu_user_ns": round(cpu * MS), "cpu_sys_ns": 0})
    return made


def test_a_serial_model_is_projected_linearly_in_tasks_and_in_delay() -> None:
    small = cell("serial", 100, 10, single_ns=1000 * MS)
    for tasks, delay, expected in ((1000, 10, 10_000), (100, 100, 10_000)):
        prediction = predict(cell("serial", tasks, delay), [small])
        assert abs(prediction.single_ns - expected * MS) < 0.02 * expected * MS
        assert prediction.scaled and prediction.why == "from tasks:100/delay_ms:10"


def test_a_model_that_waits_for_all_at_once_is_not_projected_by_what_it_only_waited() -> None:
    small = cell("event_loop", 100, 10, single_ns=round(10.8 * MS))
    assert predict(cell("event_loop", 10_000, 10), [small]).single_ns < 50 * MS


def test_a_case_with_one_larger_param_projects_nothing() -> None:
    few_long = cell("serial", 16, 1000, single_ns=900 * MS, bound_ns=0, least_ns=0)
    many_short = cell("serial", 1000, 10, bound_ns=0, least_ns=0)
    assert predict(many_short, [few_long]).single_ns == 0


@pytest.mark.parametrize(("nanoseconds", "text"), [(318_000_000, "0.32 s"), (2_500_000_000, "2.5 s"), (9_960_000_000, "10 s"), (500_000_000_000, "500 s")])
def test_projected_times_read_as_people_write_them(nanoseconds: int, text: str) -> None:
    assert seconds(nanoseconds) == text


def test_without_a_smaller_case_the_least_time_of_the_model_counts() -> None:
    larger, other = cell("serial", 1000, single_ns=9), cell("fibers", 10, single_ns=9_000 * MS)
    prediction = predict(cell("serial", 100, least_ns=1000 * MS), [larger, other])
    assert (prediction.single_ns, prediction.scaled) == (1000 * MS, False)


def test_what_was_projected_projects_what_is_larger_still() -> None:
    middle = cell("serial", 1000, projected_ns=10_000 * MS, status="projected")
    assert predict(cell("serial", 10_000), [middle]).single_ns > 90_000 * MS


def test_every_round_is_a_fresh_permutation_that_the_seed_draws_again() -> None:
    cells = [cell(model, tasks) for tasks in range(1, 9) for model in "abcdef"]
    orders = [[[one.id for one in visit] for visit in round_order(7, number, cells)] for number in range(20)]
    assert orders[3] == [[one.id for one in visit] for visit in round_order(7, 3, list(reversed(cells)))]
    assert orders[0] != [[one.id for one in visit] for visit in round_order(8, 0, cells)]
    assert len({str(order) for order in orders}) == 20
    for order in orders:
        assert sorted(name for visit in order for name in visit) == sorted(one.id for one in cells)
    firsts = {visit[0].split("model:")[1][0] for order in orders for visit in order}
    assert firsts == set("abcdef")


def test_three_rounds_far_apart_stop_a_model_and_an_overlap_does_not() -> None:
    best = with_samples("best", [1.0, 1.1, 1.2], [1, 1, 1])
    assert set(clearly_slower([best, with_samples("slow", [3.1, 3.2, 9], [3, 3, 3])])) == {"sleepers/model:slow/tasks:100/delay_ms:10"}
    assert clearly_slower([best, with_samples("near", [2.9, 3.2, 9], [3, 3, 3])]) == {}
    assert clearly_slower([best, with_samples("new", [9, 9], [9, 9])]) == {}


def test_a_model_that_may_win_on_cpu_stays_for_the_least_rounds_of_a_verdict() -> None:
    rounds = LEAST_ROUNDS
    assert clearly_slower([with_samples("best", [1] * (rounds - 1), [1] * (rounds - 1)), with_samples("lean", [9] * (rounds - 1), [1] * (rounds - 1))]) == {}
    assert len(clearly_slower([with_samples("best", [1] * rounds, [1] * rounds), with_samples("lean", [9] * rounds, [1] * rounds)])) == 1


def test_what_a_claim_is_judged_by_stays_for_the_least_rounds_however_slow() -> None:
    rounds = LEAST_ROUNDS
    assert clearly_slower([with_samples("best", [1] * (rounds - 1), [1] * (rounds - 1)), with_samples("slow", [9] * (rounds - 1), [9] * (rounds - 1), claimed=True)]) == {}
    assert len(clearly_slower([with_samples("best", [1] * rounds, [1] * rounds), with_samples("slow", [9] * rounds, [9] * rounds, claimed=True)])) == 1


def test_what_is_only_shown_has_enough_with_the_least_rounds() -> None:
    for rounds, enough in ((LEAST_ROUNDS - 1, False), (LEAST_ROUNDS, True)):
        assert has_enough(with_samples("shown", [1] * rounds, [1] * rounds, shown_only=True)) == enough
        assert not has_enough(with_samples("competes", [1] * rounds, [1] * rounds))


def test_a_cell_that_is_decided_by_memory_is_never_stopped_for_its_time() -> None:
    best = with_samples("best", [1, 1, 1], [1, 1, 1], metric="memory")
    assert clearly_slower([best, with_samples("slow", [9, 9, 9], [9, 9, 9], metric="memory")]) == {}


def test_only_the_costliest_cells_make_room_for_the_least_rounds() -> None:
    cells = [cell(f"m{number}", single_ns=10 * MS, iterations=1) for number in range(10)] + [cell("huge", single_ns=19 * MS, iterations=1)]
    budget = LEAST_ROUNDS * 10 * 11 * MS
    found = shed(cells, budget)
    assert ([one.model for one in found.projected], found.left_out) == (["huge"], [])
    assert shed(cells, 2 * budget) == Shed([], [])


def test_whole_models_that_do_not_compete_go_before_any_that_does() -> None:
    cells = [cell(model, tasks, single_ns=10 * MS, iterations=1, rank=rank) for model, rank in (("a", 0), ("b", 0), ("serial", 1), ("extra", 2)) for tasks in (1, 2)]
    for fitting, expected in ((8, set()), (6, {"extra"}), (4, {"extra", "serial"})):
        found = shed(cells, LEAST_ROUNDS * fitting * 11 * MS)
        assert ({one.model for one in found.left_out}, found.projected) == (expected, [])
        assert len(found.left_out) == 8 - fitting


def test_the_two_cheapest_of_a_costly_case_outlive_the_dear_cells_of_others() -> None:
    costly = [cell(model, 1000, single_ns=100 * MS, iterations=1) for model in "abc"]
    cheap = [cell(model, 10, single_ns=10 * MS, iterations=1) for model in "abc"]
    found = shed(costly + cheap, LEAST_ROUNDS * 225 * MS)
    assert sorted((one.model, one.units) for one in found.projected) == [("c", 10), ("c", 1000)]


def test_tasks_that_are_dear_even_where_they_do_nothing_project_a_workload_that_was_never_run() -> None:
    idle = cell("process_per_task", 100, single_ns=30 * MS)
    idle.case = Case("spawn/tasks:100", "spawn", {"tasks": 100}, "coordination", "?", "time", "tasks")
    tree = cell("process_per_task", 20_000, bound_ns=0, least_ns=0)
    tree.case = Case("fib/n:20", "fib", {"n": 20}, "cpu", "?", "time", "calls")
    prediction = predict(tree, [idle])
    assert (prediction.single_ns, prediction.scaled) == (6_000 * MS, True)
    assert predict(replace(tree, model="fibers"), [idle]).single_ns == 0


def test_a_sample_of_an_open_loop_has_requests_enough_for_the_99th_percentile() -> None:
    paced = cell("a", metric="latency")
    paced.case = replace(paced.case, paced_by="rate_per_s")
    assert least_iterations(paced, {"intended": [[5, 200], [9, 100]]}) == 4
    assert least_iterations(paced, {"intended": [[5, 1000]]}) == 1


def test_a_sample_of_another_latency_has_values_enough_for_the_90th() -> None:
    assert least_iterations(cell("a", metric="latency"), {"intended": [[5, 7]]}) == 22
    assert least_iterations(cell("a", metric="latency"), {"intended": []}) == 150
    assert least_iterations(cell("a", metric="time"), {"intended": [[5, 7]]}) == 1
    assert least_iterations(cell("a", metric="latency"), None) == 1


def test_with_time_enough_every_case_has_all_rounds() -> None:
    assert goals({"cheap": Standing(0, 1), "dear": Standing(0, 99)}, 3600, 36) == {"cheap": 36, "dear": 36}


def test_with_little_time_cheap_cases_have_more_rounds_and_dear_ones_the_least() -> None:
    cases = {"cheap": Standing(0, 10), "middling": Standing(0, 40), "dear": Standing(0, 400)}
    found = goals(cases, 6 * 400 + 12 * 40 + 36 * 10, 36)
    assert found == {"cheap": 36, "middling": 12, "dear": LEAST_ROUNDS}
    assert set(goals(cases, 10, 36).values()) == {LEAST_ROUNDS}


def test_rounds_that_a_case_has_had_are_not_paid_again() -> None:
    assert goals({"a": Standing(30, 10), "b": Standing(0, 10)}, 60 + 360, 36) == {"a": 36, "b": 36}


@pytest.mark.parametrize("goal", [1, 3, 6, 17, 36])
def test_a_case_takes_part_in_the_least_rounds_first_and_then_evenly_until_its_goal(goal: int) -> None:
    taken: list[int] = []
    for number in range(36):
        if due(Standing(len(taken), 1), goal, number, 36):
            taken.append(number)
    assert len(taken) == goal
    assert taken[:LEAST_ROUNDS] == list(range(min(LEAST_ROUNDS, goal)))
    if goal > LEAST_ROUNDS:
        assert taken[-1] >= 30
        gaps = [late - early for early, late in zip(taken[LEAST_ROUNDS:], taken[LEAST_ROUNDS + 1 :])]
        assert max(gaps, default=0) - min(gaps, default=0) <= 1


@pytest.mark.parametrize(("goals", "begin"), [([36, 36], [12, 24]), ([36, 6], [2, 4, 12, 24]), ([6, 6], [2, 4]), ([6, 9], [2, 3, 4, 6])])
def test_three_processes_share_the_rounds_of_the_case_with_the_fewest_and_of_that_with_the_most(goals: list[int], begin: list[int]) -> None:
    begun = [processes_due(number, 3, goals) for number in range(max(goals))]
    assert [number for number in range(1, len(begun)) if begun[number] > begun[number - 1]] == begin
    assert {processes_due(number, 1, goals) for number in range(36)} == {1}


def test_fresh_processes_come_only_where_all_cells_will_still_have_their_least_rounds() -> None:
    long, short = cell("a", single_ns=10 * MS, iterations=1), cell("b", single_ns=1 * MS, iterations=10)
    owed = 4 * (sample_cost_ns(long) + sample_cost_ns(short))
    warm = 10 * MS + 2 * MS + 2 * OVERHEAD_NS
    assert afford_fresh_processes({"case": [long, short]}, {"case": 2}, owed + warm)
    assert not afford_fresh_processes({"case": [long, short]}, {"case": 2}, owed + warm - 1)
    assert afford_fresh_processes({"case": [long, short]}, {"case": LEAST_ROUNDS}, warm)


def test_what_is_done_around_a_sample_counts_as_its_cost() -> None:
    cold = cell("a", single_ns=10 * MS, asked_ns=300 * MS, iterations=2)
    assert 600 * MS <= sample_cost_ns(cold) < 610 * MS
    cold.samples = [{"wall_ns": 20 * MS, "asked_ns": 500 * MS}]
    assert sample_cost_ns(cold) == 500 * MS

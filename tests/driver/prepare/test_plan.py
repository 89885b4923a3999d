"""What is projected, stopped early and left out, on cells with known times."""

from dataclasses import replace
from typing import Any

import pytest

from driver.prepare.plan import (
    DEAR_NS,
    ROUNDS_OF_A_PROCESS,
    SCREEN_ROUNDS,
    VERY_DEAR_NS,
    Excess,
    clearly_slower,
    first_rounds,
    least_iterations,
    predict,
    promised,
    rounds_of_a_process,
    sample_cost_ns,
    excess,
)
from driver.progress import seconds
from driver.session.cells import REFERENCE, REPRESENTATIVE, Case, Cell
from driver.session.preset import NAMED_ROUNDS, QUICK
from tests.driver.cells import made
from vocabulary.looks import LEAST_ROUNDS, LOOKS, MEMORY_LOOKS

MS = 1_000_000


def cell(model: str, tasks: int = 100, delay_ms: int = 10, **fields: Any) -> Cell:
    case = Case(
        f"sleepers/tasks:{tasks}/delay_ms:{delay_ms}",
        "sleepers",
        {"tasks": tasks, "delay_ms": delay_ms},
        "io",
        "?",
        fields.pop("metric", "time"),
        "waits",
    )
    bound = fields.pop("bound_ns", delay_ms * MS)
    return made(case, model, tasks, tasks, bound, "", fields.pop("least_ns", bound), ("quick",), **fields)


def with_samples(model: str, walls_ms: list[float], cpus_ms: list[float], **fields: Any) -> Cell:
    sampled = cell(model, iterations=1, **fields)
    for number, (wall, cpu) in enumerate(zip(walls_ms, cpus_ms)):
        sampled.state.samples.append(
            {
                "round": number,
                "iterations": 1,
                "wall_ns": round(wall * MS),
                "asked_ns": round(wall * MS),
                "cpu_user_ns": round(cpu * MS),
                "cpu_sys_ns": 0,
            }
        )
    return sampled


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


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(318_000_000, "0.32 s"), (2_500_000_000, "2.5 s"), (9_960_000_000, "10 s"), (500_000_000_000, "500 s")],
)
def test_projected_times_read_as_people_write_them(nanoseconds: int, text: str) -> None:
    assert seconds(nanoseconds) == text


def test_without_a_smaller_case_the_least_time_of_the_model_counts() -> None:
    larger, other = cell("serial", 1000, single_ns=9), cell("fibers", 10, single_ns=9_000 * MS)
    prediction = predict(cell("serial", 100, least_ns=1000 * MS), [larger, other])
    assert (prediction.single_ns, prediction.scaled) == (1000 * MS, False)


def test_what_was_projected_projects_what_is_larger_still() -> None:
    middle = cell("serial", 1000, projected_ns=10_000 * MS, status="projected")
    assert predict(cell("serial", 10_000), [middle]).single_ns > 90_000 * MS


def stopped(*models: Cell, competing: tuple[Cell, ...] | None = None) -> set[str]:
    """The models that three rounds say enough of, where all compete or those that are named."""
    return {
        cell_id.split("model:")[1].partition("/")[0]
        for cell_id in clearly_slower(models, models if competing is None else competing)
    }


def test_three_rounds_far_apart_stop_a_dear_model_and_an_overlap_does_not() -> None:
    best = with_samples("best", [10, 11, 12], [10, 10, 10])
    assert stopped(best, with_samples("slow", [31, 32, 90], [30, 30, 30])) == {"slow"}
    assert stopped(best, with_samples("near", [29, 32, 90], [30, 30, 30])) == set()
    assert stopped(best, with_samples("new", [90, 90], [90, 90])) == set()


def test_a_cheap_model_stays_until_the_first_look_however_slow_it_is() -> None:
    cheap_ms = DEAR_NS / MS - 1
    best = with_samples("best", [1, 1, 1], [1, 1, 1])
    assert stopped(best, with_samples("slow", [cheap_ms] * 3, [cheap_ms] * 3)) == set()
    assert stopped(best, with_samples("slow", [cheap_ms + 2] * 3, [cheap_ms + 2] * 3)) == {"slow"}


def test_a_model_that_may_win_on_cpu_stays() -> None:
    for rounds in (SCREEN_ROUNDS, LEAST_ROUNDS):
        assert (
            stopped(
                with_samples("best", [10] * rounds, [10] * rounds), with_samples("lean", [90] * rounds, [10] * rounds)
            )
            == set()
        )


def test_what_only_compares_stops_for_its_time_alone() -> None:
    best, lean = with_samples("best", [10] * 3, [10] * 3), with_samples("lean", [90] * 3, [10] * 3, rank=REFERENCE)
    assert stopped(best, lean, competing=(best,)) == {"lean"}


def test_what_a_claim_is_judged_by_stays_unless_it_is_very_dear() -> None:
    dearest_ms = VERY_DEAR_NS / MS - 1
    best = with_samples("best", [10] * 3, [10] * 3)
    for wall_ms, expected in ((dearest_ms, set()), (dearest_ms + 2, {"slow"})):
        slow = with_samples("slow", [wall_ms] * 3, [wall_ms] * 3, claimed=True, rank=REFERENCE)
        assert stopped(best, slow, competing=(best,)) == expected
        competes = replace(slow, rank=REPRESENTATIVE)
        assert stopped(best, competes) == set()


def test_only_what_competes_can_stop_another() -> None:
    shown, slow = with_samples("shown", [10] * 3, [10] * 3, shown_only=True), with_samples("slow", [90] * 3, [90] * 3)
    assert stopped(shown, slow, competing=(slow,)) == set()
    assert stopped(shown, slow, competing=(with_samples("best", [10] * 3, [10] * 3), slow)) == {"slow"}


def test_a_cell_that_is_decided_by_memory_is_never_stopped_for_its_time() -> None:
    best = with_samples("best", [10] * 3, [10] * 3, metric="memory")
    assert stopped(best, with_samples("slow", [90] * 3, [90] * 3, metric="memory")) == set()


def test_only_the_costliest_cells_make_room_for_the_least_rounds() -> None:
    cells = [cell(f"m{number}", single_ns=10 * MS, iterations=1) for number in range(10)] + [
        cell("huge", single_ns=19 * MS, iterations=1)
    ]
    budget = LEAST_ROUNDS * 10 * 11 * MS
    found = excess(cells, budget)
    assert ([one.model for one in found.projected], found.left_out) == (["huge"], [])
    assert excess(cells, 2 * budget) == Excess([], [])


def test_whole_models_that_do_not_compete_go_before_any_that_does() -> None:
    cells = [
        cell(model, tasks, single_ns=10 * MS, iterations=1, rank=rank)
        for model, rank in (("a", 0), ("b", 0), ("serial", 1), ("extra", 2))
        for tasks in (1, 2)
    ]
    for fitting, expected in ((8, set()), (6, {"extra"}), (4, {"extra", "serial"})):
        found = excess(cells, LEAST_ROUNDS * fitting * 11 * MS)
        assert ({one.model for one in found.left_out}, found.projected) == (expected, [])
        assert len(found.left_out) == 8 - fitting


def test_the_two_cheapest_of_a_costly_case_outlive_the_dear_cells_of_others() -> None:
    costly = [cell(model, 1000, single_ns=100 * MS, iterations=1) for model in "abc"]
    cheap = [cell(model, 10, single_ns=10 * MS, iterations=1) for model in "abc"]
    found = excess(costly + cheap, LEAST_ROUNDS * 225 * MS)
    assert sorted((one.model, one.units) for one in found.projected) == [("c", 10), ("c", 1000)]


def test_tasks_that_are_dear_even_where_they_do_nothing_project_a_workload_that_was_never_run() -> None:
    idle = replace(
        cell("process_per_task", 100, single_ns=30 * MS),
        case=Case("spawn/tasks:100", "spawn", {"tasks": 100}, "coordination", "?", "time", "tasks"),
    )
    tree = replace(
        cell("process_per_task", 20_000, bound_ns=0, least_ns=0),
        case=Case("fib/n:20", "fib", {"n": 20}, "cpu", "?", "time", "calls"),
    )
    prediction = predict(tree, [idle])
    assert (prediction.single_ns, prediction.scaled) == (6_000 * MS, True)
    assert predict(replace(tree, model="fibers"), [idle]).single_ns == 0


def latencies(buckets: list[list[int]], iterations: int = 1) -> dict[str, Any]:
    return {"iterations": iterations, "latency": {"intended": buckets}}


def test_a_sample_of_an_open_loop_has_requests_enough_for_the_99th_percentile() -> None:
    closed = cell("a", metric="latency")
    paced = replace(closed, case=replace(closed.case, paced_by="rate_per_s"))
    assert least_iterations(paced, [latencies([[5, 200], [9, 100]])]) == 4
    assert least_iterations(paced, [latencies([[5, 1000]])]) == 1


def test_a_sample_of_another_latency_has_values_enough_for_the_90th() -> None:
    assert least_iterations(cell("a", metric="latency"), [latencies([[5, 7]])]) == 19
    assert least_iterations(cell("a", metric="latency"), [latencies([])]) == 130
    assert least_iterations(cell("a", metric="time"), [latencies([[5, 7]])]) == 1
    assert least_iterations(cell("a", metric="latency"), [{"iterations": 1}]) == 1
    assert (
        least_iterations(
            cell("a", metric="latency"), [latencies([[5, 70]], iterations=10), latencies([[5, 40]], iterations=10)]
        )
        == 33
    ), "as the sample with the fewest"


def test_a_case_that_memory_decides_has_fewer_first_rounds() -> None:
    assert (first_rounds(cell("a", metric="memory")), first_rounds(cell("a"))) == (MEMORY_LOOKS[0], LOOKS[0])


def test_what_an_iteration_took_before_on_this_host_is_believed_more_than_a_smaller_case() -> None:
    small = cell("serial", 100, 10, single_ns=1000 * MS)
    prediction = predict(cell("serial", 1000, 10, known_ns=300 * MS), [small])
    assert (prediction.single_ns, prediction.scaled, prediction.why) == (
        300 * MS,
        False,
        "as measured before on this host",
    )
    assert (
        predict(cell("serial", 1000, 10, known_ns=1, least_ns=500 * MS), [small]).single_ns == 500 * MS
    ), "but never less than its concurrency allows"


def test_what_is_done_around_a_sample_counts_as_its_cost() -> None:
    cold = cell("a", single_ns=10 * MS, asked_ns=300 * MS, iterations=2)
    assert 600 * MS <= sample_cost_ns(cold) < 610 * MS
    cold.state.samples = [{"wall_ns": 20 * MS, "asked_ns": 500 * MS}]
    assert sample_cost_ns(cold) == 500 * MS


def named(model: str, tasks: int, single_ms: int) -> Cell:
    return cell(model, tasks, named=True, iterations=1, single_ns=single_ms * MS, asked_ns=single_ms * MS)


def test_what_is_named_has_twelve_rounds_where_the_time_allows_else_the_first_ones_the_cheapest_case_first() -> None:
    cheap, dear = [named(model, 10, 10) for model in "ab"], [named(model, 20, 100) for model in "ab"]
    twelve, first = ({one.id: rounds for one in dear} for rounds in (NAMED_ROUNDS, LEAST_ROUNDS))
    all_of_cheap = {one.id: NAMED_ROUNDS for one in cheap}
    assert promised(cheap + dear, 10_000 * MS) == all_of_cheap | twelve
    assert promised(cheap + dear, 2_000 * MS) == all_of_cheap | first
    assert promised([replace(one, named=False) for one in cheap], 10_000 * MS) == {}


def test_a_cell_that_is_clearly_slower_is_promised_its_rounds_too_and_stays() -> None:
    best, slow = named("best", 10, 40), named("slow", 10, 400)
    found = promised([best, slow], 20_000 * MS)
    assert found == {best.id: NAMED_ROUNDS, slow.id: NAMED_ROUNDS}
    measured = [
        with_samples("best", [40, 40, 40], [40, 40, 40]),
        with_samples("slow", [400, 400, 400], [400, 400, 400], promised=NAMED_ROUNDS),
    ]
    assert clearly_slower(measured, measured) == {}
    measured[1].state.promised = 0
    assert set(clearly_slower(measured, measured)) == {measured[1].id}


def test_the_check_passes_of_new_processes_count_before_rounds_are_promised() -> None:
    one, other = named("a", 10, 100), named("b", 10, 100)
    budget = 2 * NAMED_ROUNDS * sample_cost_ns(one)
    assert promised([one, other], budget)[one.id] == NAMED_ROUNDS
    one.state.check_ns = other.state.check_ns = 100 * MS
    assert promised([one, other], budget)[one.id] == LEAST_ROUNDS


def test_a_model_whose_check_pass_is_dear_does_not_start_anew_before_the_first_look() -> None:
    assert [rounds_of_a_process(named("a", 10, 1), 2), rounds_of_a_process(cell("a", check_ns=500 * MS), 2)] == [
        2,
        ROUNDS_OF_A_PROCESS,
    ]


def test_the_budget_belongs_to_the_cases_that_are_named() -> None:
    assert QUICK.cap_of_named_ns(1) == QUICK.budget_ns // NAMED_ROUNDS
    assert QUICK.cap_of_named_ns(4) == QUICK.budget_ns // 4 // NAMED_ROUNDS


def test_of_a_case_that_is_named_two_models_stay_whatever_they_cost() -> None:
    models = [named(model, 10, single_ms) for model, single_ms in (("a", 240), ("b", 200), ("c", 100))]
    assert [one.model for one in excess(models, 100 * MS).projected] == ["a"]
    unnamed = [replace(one, named=False) for one in models]
    assert [one.model for one in excess(unnamed, 100 * MS).projected] == ["a", "b", "c"]


def test_a_round_that_a_cell_has_had_already_is_not_paid_again() -> None:
    fresh = named("a", 10, 100)
    begun = with_samples("a", [100], [100], tasks=10, named=True, single_ns=100 * MS, asked_ns=100 * MS)
    five = (LEAST_ROUNDS - 1) * sample_cost_ns(begun)
    assert promised([begun], five) == {begun.id: LEAST_ROUNDS}
    assert promised([fresh], five) == {}

"""Who is measured: in quick those that stand for their family, and who goes first when time is short."""

from __future__ import annotations

from dataclasses import replace

import pytest

from driver.prepare.selection import REFERENCE, REPRESENTATIVE, VARIANT, check_workloads, select
from driver.problem import Exit, Problem
from driver.session.cells import Case, Cell, CellState
from driver.session.preset import Variants
from tests.driver.cells import made
from reports.analysis import claims
from vocabulary.representatives import Member, competing

FAMILIES = {
    "event_loop": "event_loop",
    "event_loop_uring": "event_loop",
    "thread_pool": "threads",
    "thread_pool_wide": "threads",
    "fibers": "fibers",
    "my_fibers": "fibers",
    "asio": "peer",
    "serial": "serial",
}
MEMBERS = [Member(id, family, "event_loop" if id == "event_loop_uring" else id) for id, family in FAMILIES.items()]


def cells(kind: str, tasks: int = 100, without: tuple[str, ...] = ()) -> list[Cell]:
    case = Case(f"w/tasks:{tasks}", "w", {"tasks": tasks}, kind, "?", "time", "items")
    lacking = CellState("unsupported", "has no such verb")
    return [
        Cell(
            case,
            model,
            tasks,
            tasks,
            None,
            "",
            0,
            ("quick", "full"),
            state=lacking if model in without else CellState(),
        )
        for model in FAMILIES
    ]


def quick(offered: list[Cell]) -> dict[str, int]:
    return {cell.model: cell.rank for cell in select(offered, MEMBERS, "quick", [], Variants.NONE)}


def test_quick_measures_one_model_of_each_family_and_the_baseline() -> None:
    stands, compares = REPRESENTATIVE, REFERENCE
    assert quick(cells("cpu")) == {"event_loop": stands, "thread_pool": stands, "fibers": stands, "serial": compares}
    assert quick(cells("io")) == {
        "event_loop": stands,
        "thread_pool_wide": stands,
        "fibers": stands,
        "serial": compares,
    }


def test_a_model_that_another_stands_in_for_stays_to_say_why() -> None:
    chosen = quick(cells("io", without=("thread_pool_wide", "fibers")))
    assert set(chosen) == {"event_loop", "thread_pool_wide", "thread_pool", "fibers", "my_fibers", "serial"}
    assert (chosen["thread_pool"], chosen["my_fibers"]) == (REPRESENTATIVE, REPRESENTATIVE)


def test_all_models_are_measured_when_asked_for_and_those_that_compete_come_first() -> None:
    chosen = select(cells("cpu", 1000) + cells("cpu", 10), MEMBERS, "full", [], Variants.ALL)
    assert {cell.model for cell in chosen} == set(FAMILIES)
    assert [cell.rank for cell in chosen] == sorted(cell.rank for cell in chosen)
    assert {cell.model for cell in chosen if cell.rank == VARIANT} == {
        "event_loop_uring",
        "thread_pool_wide",
        "my_fibers",
        "asio",
    }


def test_what_competes_comes_case_by_case_the_small_ones_before_the_large_ones() -> None:
    chosen = select(cells("cpu", 1000) + cells("cpu", 10), MEMBERS, "full", [], Variants.ALL)
    competing = [cell for cell in chosen if cell.rank == REPRESENTATIVE]
    half = len(competing) // 2
    assert [cell.units for cell in competing] == [10] * half + [1000] * half
    assert {cell.model for cell in competing[:half]} == {cell.model for cell in competing[half:]}


def test_what_quick_has_comes_before_what_only_full_has() -> None:
    only_full = [replace(cell, sizes=("full",)) for cell in cells("cpu", 10)]
    chosen = select(only_full + cells("cpu", 1000), MEMBERS, "full", [], Variants.ALL)
    competing = [cell.units for cell in chosen if cell.rank == REPRESENTATIVE]
    assert competing == sorted(competing, reverse=True)


def test_other_models_are_measured_on_one_case_of_each_workload_the_one_that_quick_has() -> None:
    large, small = cells("cpu", 1000), [replace(cell, sizes=("full",)) for cell in cells("cpu", 10)]
    chosen = select(small + large, MEMBERS, "full", [], Variants.ONE_CASE)
    assert {cell.units for cell in chosen if cell.rank == VARIANT} == {1000}
    assert {cell.units for cell in chosen if cell.model == "event_loop"} == {10, 1000}
    without = select(small, MEMBERS, "full", [], Variants.ONE_CASE)
    assert {cell.model for cell in without} == set(FAMILIES)


def test_full_measures_whatever_a_claim_of_the_tutorials_is_judged_by() -> None:
    quick_size, full_size = {"tasks": 16, "n": 1_000_000}, {"tasks": 1_000, "n": 10_000}
    members = [*MEMBERS, *(Member(id, "peer", id) for id in ("py_threads", "py_asyncio"))]
    offered = []
    for params, sizes in ((quick_size, ("quick", "full")), (full_size, ("full",))):
        case = Case(f"sum_squares/n:{params['n']}", "sum_squares", params, "cpu", "?", "time", "sums")
        offered += [Cell(case, member.id, 16, 16, None, "", 0, sizes) for member in members]

    def references_of(size: str, variants: Variants) -> set[str]:
        return {
            cell.model
            for cell in select(offered, members, size, [], variants, tested=claims.tested)
            if cell.rank == REFERENCE and cell.case.params == full_size
        }

    assert references_of("full", Variants.ONE_CASE) == {"serial", "py_threads"}, "and left out after what is only shown"
    assert references_of("quick", Variants.NONE) == set()


def test_in_full_what_neither_competes_nor_tests_a_claim_is_only_shown_and_what_is_asked_for_never() -> None:
    full = select(cells("cpu"), MEMBERS, "full", [], Variants.ONE_CASE)
    assert {cell.model for cell in full if cell.shown_only} == {
        "event_loop_uring",
        "thread_pool_wide",
        "my_fibers",
        "asio",
    }
    assert not any(cell.shown_only for cell in select(cells("cpu"), MEMBERS, "full", [], Variants.ALL))


def test_exhaustive_takes_sizes_that_stand_in_no_list() -> None:
    alone = [replace(cell, sizes=()) for cell in cells("cpu")]
    assert len(select(alone, MEMBERS, "exhaustive", [], Variants.ALL)) == len(FAMILIES)


def test_a_list_in_which_nothing_stands_is_nothing_matched() -> None:
    with pytest.raises(Problem) as caught:
        select([replace(cell, sizes=("full",)) for cell in cells("cpu")], MEMBERS, "quick", [], Variants.ALL)
    assert caught.value.code == Exit.NOTHING_MATCHED


def test_full_has_no_more_than_800_cells_however_many_models_there_are() -> None:
    members = MEMBERS + [Member(f"variant_{number}", "fibers", "fibers") for number in range(60)]
    offered = []
    for place in range(30):
        case = Case(f"w{place}/tasks:1", f"w{place}", {"tasks": 1}, "io", "?", "time", "items")
        offered += [
            Cell(case, member.id, 1, 1, None, "", 0, ("full",) if place < 20 else ("quick", "full"))
            for member in members
        ]
    chosen = select(offered, members, "full", [], Variants.ONE_CASE)
    assert 700 < len(chosen) <= 800 - 12
    of_variant = {cell.case.workload for cell in chosen if cell.model == "variant_7"}
    assert {f"w{place}" for place in range(20, 30)} <= of_variant, "what quick has comes first"
    assert {cell.case.workload for cell in chosen if cell.model == "event_loop"} == {f"w{place}" for place in range(30)}


def test_full_measures_textbooks_on_one_case_of_each_workload_however_short_room_is_and_in_the_same_rounds() -> None:
    members = [
        *MEMBERS,
        *(Member(f"variant_{number}", "fibers", "fibers") for number in range(60)),
        Member("simple_fibers", "fibers", "simple_fibers", textbook=True),
    ]
    offered = []
    for place in range(30):
        for tasks, sizes in ((1, ("full",)), (2, ("quick", "full"))):
            case = Case(f"w{place}/tasks:{tasks}", f"w{place}", {"tasks": tasks}, "io", "?", "time", "items")
            offered += [Cell(case, member.id, 1, 1, None, "", 0, sizes) for member in members]
    textbook = [
        cell for cell in select(offered, members, "full", [], Variants.ONE_CASE) if cell.model == "simple_fibers"
    ]
    assert [cell.case.params["tasks"] for cell in textbook] == [2] * 30
    assert {(cell.rank, cell.shown_only) for cell in textbook} == {(REFERENCE, False)}
    assert "simple_fibers" not in quick(offered)


def test_a_textbook_never_stands_for_its_family() -> None:
    members = [
        Member("simple_fibers", "fibers", "simple_fibers", textbook=True),
        Member("my_fibers", "fibers", "my_fibers"),
    ]
    assert competing(members, "cpu", {"simple_fibers"}) == set()
    assert competing(members, "cpu", {"simple_fibers", "my_fibers"}) == {"my_fibers"}


def test_where_room_is_short_coordination_and_what_most_models_can_do_has_them_all() -> None:
    members = MEMBERS + [Member(f"variant_{number}", "fibers", "fibers") for number in range(60)]
    offered = []
    for place in range(20):
        case = Case(f"w{place}/tasks:1", f"w{place}", {"tasks": 1}, "io", "?", "time", "items")
        able = members if place >= 10 else members[:-5]
        if place == 5:
            case = replace(case, kind="coordination")
        offered += [
            made(
                case, member.id, 1, 1, None, "", 0, ("quick", "full"), status="ok" if member in able else "unsupported"
            )
            for member in members
        ]
    chosen = select(offered, members, "full", [], Variants.ONE_CASE)
    of_variant = {cell.case.workload for cell in chosen if cell.model == "variant_7"}
    assert {"w5", *(f"w{place}" for place in range(10, 18))} <= of_variant < {f"w{place}" for place in range(20)}
    assert of_variant - {f"w{place}" for place in range(10, 20)} == {"w5"}


def test_where_memory_decides_all_models_are_measured_on_every_size_but_the_dearest_which_only_peers_join() -> None:
    offered = []
    for tasks, hold_ns in ((1_000, 20_000_000), (100_000, 500_000_000), (1_000_000, 1_000_000_000)):
        case = Case(f"idle/tasks:{tasks}", "idle", {"tasks": tasks}, "memory", "?", "memory", "tasks")
        offered += [Cell(case, member.id, tasks, tasks, hold_ns, "", hold_ns, ("full",)) for member in MEMBERS]
    chosen = select(offered, MEMBERS, "full", [], Variants.ONE_CASE)
    shown = {
        tasks: {cell.model for cell in chosen if cell.shown_only and cell.units == tasks}
        for tasks in (1_000, 100_000, 1_000_000)
    }
    assert (
        shown[1_000]
        == shown[100_000]
        == {cell.model for cell in chosen if cell.rank == VARIANT}
        > {"event_loop_uring", "asio"}
    )
    assert shown[1_000_000] == {"asio"}
    everything = select([replace(cell) for cell in offered], MEMBERS, "exhaustive", [], Variants.ALL)
    assert len(everything) == len(offered)


def with_twins() -> tuple[list[Cell], list[Member]]:
    """Two cases of one workload, and native twins of a model that competes, of a peer, and of one that has no twin
    there; they stand in one size's list."""
    members = [
        *MEMBERS,
        *(
            Member(f"native_{model}", "native", f"native_{model}", native_of=model)
            for model in ("thread_pool", "asio", "fibers")
        ),
    ]
    offered = []
    for tasks in (10, 100):
        own = cells("cpu", tasks)
        lists = ("full",) if tasks == 10 else ()
        twins = [replace(own[0], model=member.id, sizes=lists) for member in members if member.native_of]
        twins[-1] = replace(twins[-1], state=CellState("unsupported", "no twin"))
        offered += own + twins
    return offered, members


def test_full_has_each_native_twin_at_one_size_with_the_model_that_it_is_of() -> None:
    offered, members = with_twins()
    chosen = select(offered, members, "full", [], Variants.ONE_CASE)
    twins = {cell.model: cell for cell in chosen if cell.model.startswith("native")}
    assert {
        model: (cell.units, cell.rank, cell.paired, cell.shown_only, cell.state.status) for model, cell in twins.items()
    } == {
        "native_thread_pool": (10, REFERENCE, True, False, "ok"),
        "native_asio": (10, REFERENCE, True, False, "ok"),
        "native_fibers": (10, REFERENCE, False, False, "unsupported"),
    }
    assert {(cell.model, cell.units) for cell in chosen if cell.paired and cell.model not in twins} == {
        ("thread_pool", 10),
        ("asio", 10),
    }
    assert not any(
        cell.shown_only for cell in chosen if cell.paired
    ), "both have the first rounds together with what competes"


def test_a_native_twin_is_measured_only_where_its_model_can_be_and_never_in_quick() -> None:
    offered, members = with_twins()
    in_quick = [replace(cell, sizes=("quick", "full")) for cell in offered]
    assert not any(cell.model.startswith("native") for cell in select(in_quick, members, "quick", [], Variants.NONE))
    unable = [
        replace(cell, state=CellState("unsupported", "cannot")) if cell.model == "asio" else cell for cell in offered
    ]
    assert "native_asio" not in {cell.model for cell in select(unable, members, "full", [], Variants.ONE_CASE)}
    everything = select(offered, members, "exhaustive", [], Variants.ALL)
    assert sum(cell.model == "native_thread_pool" for cell in everything) == 2


def test_a_workload_that_no_chosen_model_has_is_told_from_one_that_does_not_exist() -> None:
    with pytest.raises(Problem, match="no chosen model has the workload ping_pong") as known:
        check_workloads(["ping_pong"], ["ping_pong", "fib"], ["fib"])
    assert known.value.code == Exit.NOTHING_MATCHED
    with pytest.raises(Problem, match="there is no workload ping_pang") as unknown:
        check_workloads(["ping_pang"], ["ping_pong", "fib"], ["fib"])
    assert unknown.value.code == Exit.USAGE

// The stop rules: first_error, first_result and deadlines cancel what still runs, and what has not started
// never does.
#pragma once

#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

struct stop_board : board {
    std::uint32_t others = 0;  // how many must have started before the one that ends the batch
    bool ends_well = false;
};

// Item 0 waits until all others sleep, then ends the batch; the others would sleep far too long.
template <class C>
typename C::task one_ends_the_batch(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<stop_board>(batch);
    inside here(b.frames);
    if (i == 0) {
        while (b.started.load() < b.others) co_await ctx.sleep_for(1ms);
        co_await ctx.sleep_for(5ms);
        if (b.ends_well) co_return;
        throw std::runtime_error("enough");
    }
    b.started.fetch_add(1);
    try {
        co_await ctx.sleep_for(far);
    } catch (const cancelled&) {
        b.stopped.fetch_add(1);
        throw;
    }
    b.ended.fetch_add(1);
}

CONTRACT(the_first_error_cancels_sleeping_siblings, verb::sleep) {
    std::size_t n = t.together(8);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (int round = 0; round < 5; ++round) {
        auto b = t.template make<stop_board>();
        b->others = static_cast<std::uint32_t>(n - 1);
        stopwatch clock;
        std::size_t index = 1;
        EXPECT_EQ(
            t.error_of(n, &one_ends_the_batch<C>, b.get(), policy(unlimited, until::first_error), &index),
            "enough");
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(index, 0U);
        EXPECT_EQ(b->stopped.load(), n - 1);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

CONTRACT(the_first_result_cancels_sleeping_siblings, verb::sleep) {
    std::size_t n = t.together(8);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (int round = 0; round < 5; ++round) {
        auto b = t.template make<stop_board>();
        b->others = static_cast<std::uint32_t>(n - 1);
        b->ends_well = true;
        stopwatch clock;
        t.runtime.run(n, &one_ends_the_batch<C>, b.get(), policy(unlimited, until::first_result));
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->stopped.load(), n - 1);
    }
    t.expect_usable();
}

template <class C>
typename C::task first_of_many(C&, const void* batch, std::size_t) {
    auto& b = on<stop_board>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    if (!b.ends_well) throw std::runtime_error("first of many");
    co_return;
}

CONTRACT(items_that_have_not_started_never_do_once_the_batch_is_stopped) {
    auto failing = t.template make<stop_board>();
    EXPECT_EQ(t.error_of(1'000, &first_of_many<C>, failing.get(), policy(1, until::first_error)),
              "first of many");
    EXPECT_EQ(failing->started.load(), 1U);
    auto ending = t.template make<stop_board>();
    ending->ends_well = true;
    t.runtime.run(1'000, &first_of_many<C>, ending.get(), policy(1, until::first_result));
    EXPECT_EQ(ending->started.load(), 1U);
    t.expect_usable();
}

template <class C>
typename C::task one_fails_after_its_wait(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<stop_board>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    try {
        co_await ctx.sleep_for(1ms);
    } catch (const cancelled&) {
        b.stopped.fetch_add(1);
        throw;
    }
    if (i == 12) throw std::runtime_error("after its wait");
    b.ended.fetch_add(1);
}

CONTRACT(a_failure_stops_the_items_that_have_taken_the_places_of_others, verb::sleep) {
    const std::size_t n = 40, in_flight = t.together(20);
    for (int round = 0; round < 30; ++round) {
        auto b = t.template make<stop_board>();
        EXPECT_EQ(t.error_of(n, &one_fails_after_its_wait<C>, b.get(), policy(in_flight, until::first_error)),
                  "after its wait");
        EXPECT_EQ(b->started.load(), b->stopped.load() + b->ended.load() + 1);
    }
    t.expect_usable();
}

template <class C>
typename C::task only_five_ends_well(C&, const void* batch, std::size_t i) {
    on<board>(batch).started.fetch_add(1);
    if (i != 5) throw std::runtime_error("not me");
    return {};
}

CONTRACT(first_result_overlooks_errors_unless_nobody_ends_well) {
    auto b = t.template make<board>();
    t.runtime.run(6, &only_five_ends_well<C>, b.get(), policy(1, until::first_result));
    EXPECT_LE(b->started.load(), 6U);
    std::size_t index = 9;
    EXPECT_EQ(t.error_of(5, &only_five_ends_well<C>, b.get(), policy(2, until::first_result), &index),
              "not me");
    EXPECT_LT(index, 5U);
    t.expect_usable();
}

template <class C>
typename C::task sleeps_too_long(C& ctx, const void* batch, std::size_t) {
    auto& b = on<board>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    co_await ctx.sleep_for(far);
    b.ended.fetch_add(1);
}

CONTRACT(a_batch_that_passes_its_deadline_is_cancelled_and_timed_out, verb::sleep) {
    for (until rule : {until::all_done, until::first_error, until::first_result}) {
        auto b = t.template make<board>();
        stopwatch clock;
        t.expect_timed_out(20, &sleeps_too_long<C>, b.get(), policy(unlimited, rule, after(50ms)));
        EXPECT_GE(clock.elapsed(), 50ms);
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

struct overtime : board {
    time_point deadline;
    std::size_t many = 0;
    std::size_t in_flight = unlimited;
};

// Items with even numbers would sleep far too long; the others compute until the deadline has passed, so that
// the model finds it over at a moment at which it does not wait for it.
template <class C>
typename C::task sleeps_or_works_overtime(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<overtime>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    if (i % 2 == 0) {
        co_await ctx.sleep_for(far);
        b.ended.fetch_add(1);
    }
    while (std::chrono::steady_clock::now() < b.deadline) {
    }
}

CONTRACT(a_deadline_that_passes_while_items_compute_cancels_those_that_sleep, verb::sleep) {
    const std::size_t n = t.together(4);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (std::size_t in_flight : {std::size_t{2}, unlimited}) {
        auto b = t.template make<overtime>();
        b->deadline = after(30ms);
        stopwatch clock;
        t.expect_timed_out(n, &sleeps_or_works_overtime<C>, b.get(),
                           policy(in_flight, until::all_done, b->deadline));
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

template <class C>
typename C::task runs_items_overtime(C& ctx, const void* batch, std::size_t) {
    auto& b = on<overtime>(batch);
    b.deadline = after(30ms);
    const policy rules(b.in_flight, until::all_done, b.deadline);
    try {
        co_await ctx.run(b.many, &sleeps_or_works_overtime<C>, &b, rules);
    } catch (const timed_out&) {
        b.stopped.fetch_add(1);
    }
}

CONTRACT(so_does_the_deadline_of_a_nested_run, verb::sleep, verb::fork) {
    const std::size_t n = t.together(4);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (std::size_t in_flight : {std::size_t{2}, unlimited}) {
        auto b = t.template make<overtime>();
        b->many = n;
        b->in_flight = in_flight;
        stopwatch clock;
        t.runtime.run(1, &runs_items_overtime<C>, b.get(), policy{});
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->stopped.load(), 1U);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

template <class C>
typename C::task spins_5_ms(C&, const void* batch, std::size_t) {
    on<board>(batch).started.fetch_add(1);
    stopwatch clock;
    while (clock.elapsed() < 5ms) {
    }
    return {};
}

CONTRACT(after_the_deadline_no_item_starts_even_if_nobody_waits) {
    auto b = t.template make<board>();
    stopwatch clock;
    t.expect_timed_out(100'000, &spins_5_ms<C>, b.get(), policy(16, until::all_done, after(30ms)));
    EXPECT_LT(clock.elapsed(), soon);
    EXPECT_LT(b->started.load(), 10'000U);
    auto late = t.template make<board>();
    t.expect_timed_out(10, &spins_5_ms<C>, late.get(), policy(4, until::all_done, after(-1s)));
    EXPECT_EQ(late->started.load(), 0U);
    t.expect_usable();
}

CONTRACT(a_deadline_that_is_not_reached_changes_nothing) {
    auto b = t.template make<board>();
    t.runtime.run(20, &spins_5_ms<C>, b.get(), policy(unlimited, until::first_error, after(far)));
    EXPECT_EQ(b->started.load(), 20U);
}

template <class C>
typename C::task naps_for_ever(C& ctx, const void* batch, std::size_t) {
    inside here(on<board>(batch).frames);
    for (;;) co_await ctx.sleep_for(0ns);
}

template <class C>
typename C::task yields_for_ever(C& ctx, const void* batch, std::size_t) {
    inside here(on<board>(batch).frames);
    for (;;) co_await ctx.yield();
}

CONTRACT(a_sleep_of_no_time_is_a_point_of_cancellation, verb::sleep) {
    auto b = t.template make<board>();
    t.expect_timed_out(t.together(4), &naps_for_ever<C>, b.get(),
                       policy(unlimited, until::all_done, after(20ms)));
}

CONTRACT(a_yield_is_a_point_of_cancellation, verb::yield) {
    auto b = t.template make<board>();
    t.expect_timed_out(t.together(4), &yields_for_ever<C>, b.get(),
                       policy(unlimited, until::all_done, after(20ms)));
}

template <class C>
typename C::task waits_again_while_cancelled(C& ctx, const void* batch, std::size_t) {
    auto& b = on<board>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    bool again = false;
    try {
        co_await ctx.sleep_for(far);
    } catch (const cancelled&) {
        again = true;
    }
    if (!again) co_return;
    try {
        co_await ctx.sleep_for(far);
    } catch (const cancelled&) {
        b.stopped.fetch_add(1);
    }
}

CONTRACT(a_cancelled_item_that_waits_again_is_cancelled_again, verb::sleep) {
    auto b = t.template make<board>();
    std::size_t n = t.together(4);
    stopwatch clock;
    t.expect_timed_out(n, &waits_again_while_cancelled<C>, b.get(),
                       policy(unlimited, until::all_done, after(20ms)));
    EXPECT_LT(clock.elapsed(), soon);
    EXPECT_EQ(b->stopped.load(), b->started.load());
}

}  // namespace crossover::contract_test

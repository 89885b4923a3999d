// Nested runs: trees, their errors and stop rules, cancellation from outside, and what the waiting item may
// hold meanwhile.
#pragma once

#include <array>
#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

// A nested batch lies in its parent's frame, as real ones do.
struct branch {
    board* top;
    std::uint64_t depth;
    std::array<std::uint64_t, 3> parts{};
};

template <class C>
typename C::task counts_leaves(C& ctx, const void* batch, std::size_t i) {
    auto& above = on<branch>(batch);
    inside here(above.top->frames);
    if (above.depth == 0) {
        above.parts[i] = 1;
        co_return;
    }
    branch below;
    below.top = above.top;
    below.depth = above.depth - 1;
    co_await ctx.run(3, &counts_leaves<C>, &below, policy{});
    above.parts[i] = below.parts[0] + below.parts[1] + below.parts[2];
}

struct roots : board {
    branch first;
};

CONTRACT(a_tree_of_nested_runs_adds_up, verb::fork) {
    for (policy rules : {policy{}, policy(unlimited, until::first_error, after(far))}) {
        auto b = t.template make<roots>();
        b->first.top = b.get();
        b->first.depth = 5;
        t.runtime.run(3, &counts_leaves<C>, &b->first, rules);
        for (std::uint64_t part : b->first.parts) EXPECT_EQ(part, 243U);
    }
}

template <class C>
typename C::task goes_deeper(C& ctx, const void* batch, std::size_t) {
    auto& above = on<branch>(batch);
    inside here(above.top->frames);
    above.top->started.fetch_add(1);
    if (above.depth == 0) co_return;
    branch below;
    below.top = above.top;
    below.depth = above.depth - 1;
    co_await ctx.run(1, &goes_deeper<C>, &below, policy{});
}

CONTRACT(a_chain_of_a_hundred_nested_runs_ends, verb::fork) {
    auto b = t.template make<roots>();
    b->first.top = b.get();
    b->first.depth = 99;
    t.runtime.run(1, &goes_deeper<C>, &b->first, policy{});
    EXPECT_EQ(b->started.load(), 100U);
}

struct family : board {
    gauge children;
    std::span<std::atomic<std::uint32_t>> runs;
    std::size_t many = 0;
    std::size_t in_flight = unlimited;
    bool children_sleep = false;
    std::uint32_t others = 0;
    std::atomic<std::uint32_t> caught{0};
};

// What a nested batch knows of its parent.
struct household {
    family* all;
    std::size_t parent;
};

template <class C>
typename C::task nested_child(C& ctx, const void* batch, std::size_t i) {
    auto& home = on<household>(batch);
    inside here(home.all->frames);
    inside counted(home.all->children);
    home.all->runs[home.parent * home.all->many + i].fetch_add(1);
    if constexpr (can_sleep<C>) {
        if (home.all->children_sleep) co_await ctx.sleep_for(500us);
    }
    co_return;
}

template <class C>
typename C::task nested_parent(C& ctx, const void* batch, std::size_t i) {
    auto& all = on<family>(batch);
    inside here(all.frames);
    household home{&all, i};
    policy rules(all.in_flight);
    co_await ctx.run(all.many, &nested_child<C>, &home, rules);
    policy nothing;
    co_await ctx.run(0, &nested_child<C>, &home, nothing);
    all.ended.fetch_add(1);
}

template <class R>
auto make_family(contract<R>& t, std::size_t parents, std::size_t many) {
    auto b = t.template make<family>();
    b->many = many;
    b->runs = t.memory.template make_array<std::atomic<std::uint32_t>>(parents * many);
    return b;
}

CONTRACT(nested_items_run_exactly_once, verb::fork) {
    for (std::size_t parents : {1, 2, 30}) {
        auto b = make_family(t, parents, 60);
        t.runtime.run(parents, &nested_parent<C>, b.get(), policy(8));
        for (const auto& count : b->runs) ASSERT_EQ(count.load(), 1U);
        EXPECT_EQ(b->ended.load(), parents);
    }
}

CONTRACT(a_nested_run_keeps_its_own_bound_of_items_in_flight, verb::fork) {
    for (std::size_t in_flight : {1, 2}) {
        auto b = make_family(t, 1, 20);
        b->in_flight = in_flight;
        b->children_sleep = true;
        t.runtime.run(1, &nested_parent<C>, b.get(), policy{});
        EXPECT_LE(b->children.peak(), static_cast<int>(in_flight));
        for (const auto& count : b->runs) ASSERT_EQ(count.load(), 1U);
    }
}

template <class C>
typename C::task third_child_throws(C&, const void* batch, std::size_t i) {
    auto& home = on<household>(batch);
    inside here(home.all->frames);
    home.all->started.fetch_add(1);
    if (i == 3) throw std::runtime_error("child 3");
    co_return;
}

template <class C>
typename C::task catches_its_childs_error(C& ctx, const void* batch, std::size_t i) {
    auto& all = on<family>(batch);
    inside here(all.frames);
    household home{&all, i};
    policy rules;
    try {
        co_await ctx.run(10, &third_child_throws<C>, &home, rules);
    } catch (const item_error& e) {
        if (e.index() == 3 && e.what() == std::string_view("child 3")) all.caught.fetch_add(1);
    }
    if (i == 5) co_await ctx.run(10, &third_child_throws<C>, &home, rules);
    all.ended.fetch_add(1);
}

CONTRACT(the_error_of_a_nested_item_reaches_its_parent_and_if_uncaught_the_caller, verb::fork) {
    auto b = make_family(t, 8, 0);
    std::size_t index = 0;
    EXPECT_EQ(t.error_of(8, &catches_its_childs_error<C>, b.get(), policy(4), &index), "child 3");
    EXPECT_EQ(index, 5U);
    EXPECT_EQ(b->caught.load(), 8U);
    EXPECT_EQ(b->ended.load(), 7U);
    EXPECT_EQ(b->started.load(), 90U) << "all_done: the failing child's siblings run to their end";
    t.expect_usable();
}

// In each nested batch child 0 fails while the others sleep far too long.
template <class C>
typename C::task stops_its_siblings(C& ctx, const void* batch, std::size_t i) {
    auto& home = on<household>(batch);
    inside here(home.all->frames);
    if (i == 0) {
        co_await ctx.sleep_for(5ms);
        throw std::runtime_error("enough");
    }
    co_await ctx.sleep_for(far);
    home.all->stopped.fetch_add(1);
}

template <class C>
typename C::task has_a_failing_family(C& ctx, const void* batch, std::size_t i) {
    auto& all = on<family>(batch);
    inside here(all.frames);
    household home{&all, i};
    policy rules(unlimited, until::first_error);
    try {
        co_await ctx.run(2, &stops_its_siblings<C>, &home, rules);
    } catch (const item_error&) {
        all.caught.fetch_add(1);
    }
    co_await ctx.sleep_for(10ms);
    all.ended.fetch_add(1);
}

CONTRACT(a_stop_rule_of_a_nested_run_stops_nobody_else, verb::fork, verb::sleep) {
    if (t.runtime.guaranteed_concurrency() < 2) GTEST_SKIP() << "one at a time";
    auto b = make_family(t, 4, 0);
    stopwatch clock;
    t.runtime.run(4, &has_a_failing_family<C>, b.get(), policy(t.together(4) / 2));
    EXPECT_LT(clock.elapsed(), soon);
    EXPECT_EQ(b->caught.load(), 4U);
    EXPECT_EQ(b->ended.load(), 4U);
    EXPECT_EQ(b->stopped.load(), 0U);
}

template <class C>
typename C::task sleeps_in_a_family(C& ctx, const void* batch, std::size_t) {
    auto& home = on<household>(batch);
    inside here(home.all->frames);
    home.all->started.fetch_add(1);
    co_await ctx.sleep_for(far);
    home.all->ended.fetch_add(1);
}

// The middle generation has a batch that could stop by itself, so that states hang under states.
template <class C>
typename C::task has_sleeping_children(C& ctx, const void* batch, std::size_t i) {
    auto& home = on<household>(batch);
    inside here(home.all->frames);
    policy rules(unlimited, i % 2 == 0 ? until::first_error : until::all_done);
    co_await ctx.run(2, &sleeps_in_a_family<C>, &home, rules);
    home.all->ended.fetch_add(1);
}

template <class C>
typename C::task is_stopped_with_its_grandchildren(C& ctx, const void* batch, std::size_t i) {
    auto& all = on<family>(batch);
    inside here(all.frames);
    if (i == 0 && all.others != 0) {
        while (all.started.load() < all.others) co_await ctx.sleep_for(1ms);
        co_await ctx.sleep_for(5ms);
        throw std::runtime_error("enough");
    }
    household home{&all, i};
    policy rules(unlimited, until::first_error);
    co_await ctx.run(2, &has_sleeping_children<C>, &home, rules);
    all.ended.fetch_add(1);
}

CONTRACT(the_outer_batch_stops_children_and_grandchildren, verb::fork, verb::sleep) {
    std::size_t n = t.together(4);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (int round = 0; round < 5; ++round) {
        auto b = make_family(t, n, 0);
        b->others = 1;
        stopwatch clock;
        EXPECT_EQ(t.error_of(n, &is_stopped_with_its_grandchildren<C>, b.get(),
                             policy(unlimited, until::first_error)),
                  "enough");
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

CONTRACT(the_outer_deadline_stops_children_and_grandchildren, verb::fork, verb::sleep) {
    for (until rule : {until::all_done, until::first_error}) {
        auto b = make_family(t, 2, 0);
        stopwatch clock;
        t.expect_timed_out(2, &is_stopped_with_its_grandchildren<C>, b.get(),
                           policy(unlimited, rule, after(30ms)));
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

template <class C>
typename C::task gives_its_children_20_ms(C& ctx, const void* batch, std::size_t i) {
    auto& all = on<family>(batch);
    inside here(all.frames);
    household home{&all, i};
    policy rules(unlimited, until::all_done, after(20ms));
    try {
        co_await ctx.run(3, &sleeps_in_a_family<C>, &home, rules);
    } catch (const timed_out&) {
        all.caught.fetch_add(1);
    }
    co_await ctx.sleep_for(1ms);
    all.stopped.fetch_add(1);
}

CONTRACT(a_nested_deadline_is_caught_by_the_item_that_set_it, verb::fork, verb::sleep) {
    auto b = make_family(t, 4, 0);
    stopwatch clock;
    t.runtime.run(4, &gives_its_children_20_ms<C>, b.get(), policy{});
    EXPECT_LT(clock.elapsed(), soon);
    EXPECT_EQ(b->caught.load(), 4U);
    EXPECT_EQ(b->stopped.load(), 4U) << "the parents went on";
    EXPECT_EQ(b->ended.load(), 0U);
}

template <class C>
struct guarded_family : family {
    explicit guarded_family(std::size_t permits) : limit(permits) {}
    typename C::semaphore limit;
    gauge holders;
};

// Whoever waits here and helps with the wrong item runs one that needs the permit held below it, and hangs.
template <class C>
typename C::task forks_with_a_permit(C& ctx, const void* batch, std::size_t i) {
    auto& all = on<guarded_family<C>>(batch);
    inside here(all.frames);
    auto permit = co_await all.limit.acquire(ctx);
    inside held(all.holders);
    household home{&all, i};
    policy rules(all.in_flight);
    co_await ctx.run(all.many, &nested_child<C>, &home, rules);
    all.ended.fetch_add(1);
}

CONTRACT(an_item_may_hold_a_permit_across_a_nested_run, verb::fork, verb::limit) {
    for (std::size_t in_flight : {std::size_t{4}, unlimited}) {
        auto b = t.template make<guarded_family<C>>(1U);
        b->many = 20;
        b->runs = t.memory.template make_array<std::atomic<std::uint32_t>>(40 * 20);
        b->in_flight = in_flight;
        b->children_sleep = true;
        t.runtime.run(40, &forks_with_a_permit<C>, b.get(), policy{});
        EXPECT_EQ(b->ended.load(), 40U);
        EXPECT_EQ(b->holders.peak(), 1);
        for (const auto& count : b->runs) ASSERT_EQ(count.load(), 1U);
    }
}

}  // namespace crossover::contract_test

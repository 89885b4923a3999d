// Sleeping: never early, and concurrently if the model promises so.
#pragma once

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

struct naps : board {
    std::atomic<std::uint32_t> early{0};
    std::atomic<std::uint32_t> order{0};
    std::atomic<std::uint32_t> place[2] = {};
};

template <class C>
typename C::task measured_nap(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<naps>(batch);
    inside here(b.frames);
    std::chrono::nanoseconds time = std::chrono::microseconds(i * i);
    stopwatch clock;
    co_await ctx.sleep_for(time);
    if (clock.elapsed() < time) b.early.fetch_add(1);
    co_await ctx.sleep_for(-1s);
    b.ended.fetch_add(1);
}

CONTRACT(a_sleep_is_never_short, verb::sleep) {
    auto b = t.template make<naps>();
    t.runtime.run(60, &measured_nap<C>, b.get(), policy{});
    EXPECT_EQ(b->early.load(), 0U);
    EXPECT_EQ(b->ended.load(), 60U);
    auto stoppable = t.template make<naps>();
    t.runtime.run(60, &measured_nap<C>, stoppable.get(), policy(unlimited, until::first_error, after(far)));
    EXPECT_EQ(stoppable->early.load(), 0U);
    EXPECT_EQ(stoppable->ended.load(), 60U);
}

template <class C>
typename C::task nap_of_20_ms(C& ctx, const void* batch, std::size_t) {
    auto& b = on<board>(batch);
    inside here(b.frames);
    co_await ctx.sleep_for(20ms);
    b.ended.fetch_add(1);
}

// The machine may stall for longer than the items sleep, but not each time.
CONTRACT(fifty_sleepers_of_20_ms_overlap, verb::sleep) {
    const std::size_t width = t.together(50);
    const auto bound = (50 + width - 1) / width * 20ms;
    std::chrono::nanoseconds least = far;
    for (int attempt = 0; attempt < 10 && least >= bound + 400ms; ++attempt) {
        auto b = t.template make<board>();
        stopwatch clock;
        t.runtime.run(50, &nap_of_20_ms<C>, b.get(), policy{});
        const std::chrono::nanoseconds took = clock.elapsed();
        EXPECT_EQ(b->ended.load(), 50U);
        EXPECT_GE(took, 20ms);
        least = std::min(least, took);
    }
    EXPECT_LT(least, bound + 400ms);
}

struct rendezvous : board {
    std::uint32_t expected = 0;
};

template <class C>
typename C::task waits_for_all_others(C& ctx, const void* batch, std::size_t) {
    auto& b = on<rendezvous>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    // Not so often that hundreds of threads keep each other from starting, where a sanitizer slows them.
    while (b.started.load() < b.expected) co_await ctx.sleep_for(20ms);
}

CONTRACT(as_many_items_as_promised_are_alive_together, verb::sleep) {
    auto b = t.template make<rendezvous>();
    std::size_t n = t.together(300);
    b->expected = static_cast<std::uint32_t>(n);
    t.runtime.run(n, &waits_for_all_others<C>, b.get(), policy(n, until::first_error, after(far)));
    EXPECT_EQ(b->started.load(), n);
}

CONTRACT(a_thousand_sleepers_all_wake, verb::sleep) {
    if (t.runtime.guaranteed_concurrency() < 50)
        GTEST_SKIP() << "would take long with " << t.runtime.guaranteed_concurrency() << " at once";
    auto b = t.template make<board>();
    t.runtime.run(1'000, &nap_of_20_ms<C>, b.get(), policy(500));
    EXPECT_EQ(b->ended.load(), 1'000U);
    EXPECT_LE(b->frames.peak(), 500);
}

template <class C>
typename C::task long_and_short_nap(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<naps>(batch);
    inside here(b.frames);
    std::chrono::nanoseconds time = i == 0 ? 300ms : 5ms;
    co_await ctx.sleep_for(time);
    b.place[i] = b.order.fetch_add(1);
}

CONTRACT(a_short_sleep_ends_before_a_long_one, verb::sleep) {
    if (t.runtime.guaranteed_concurrency() < 2) GTEST_SKIP() << "one at a time";
    auto b = t.template make<naps>();
    t.runtime.run(2, &long_and_short_nap<C>, b.get(), policy{});
    EXPECT_EQ(b->place[1].load(), 0U);
    EXPECT_EQ(b->place[0].load(), 1U);
}

}  // namespace crossover::contract_test

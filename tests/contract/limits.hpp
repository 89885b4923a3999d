// Semaphores: never more inside than permits, and no permit is lost, whatever ends its holder.
#pragma once

#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

template <class C>
struct limited_board : board {
    explicit limited_board(std::size_t permits) : limit(permits) {}
    typename C::semaphore limit;
    gauge holders;
    std::uint32_t others = 0;
};

template <class C>
typename C::task holds_a_permit(C& ctx, const void* batch, std::size_t) {
    auto& b = on<limited_board<C>>(batch);
    inside here(b.frames);
    for (int round = 0; round < 5; ++round) {
        auto permit = co_await b.limit.acquire(ctx);
        inside held(b.holders);
        if constexpr (can_sleep<C>) co_await ctx.sleep_for(200us);
    }
    b.ended.fetch_add(1);
}

CONTRACT(no_more_items_hold_a_permit_than_there_are, verb::limit) {
    for (std::size_t permits : {1, 3}) {
        auto b = t.template make<limited_board<C>>(permits);
        t.runtime.run(40, &holds_a_permit<C>, b.get(), policy{});
        EXPECT_EQ(b->ended.load(), 40U);
        EXPECT_LE(b->holders.peak(), static_cast<int>(permits));
        auto stoppable = t.template make<limited_board<C>>(permits);
        t.runtime.run(40, &holds_a_permit<C>, stoppable.get(), policy(unlimited, until::first_error));
        EXPECT_EQ(stoppable->ended.load(), 40U);
        EXPECT_LE(stoppable->holders.peak(), static_cast<int>(permits));
    }
}

// Takes all permits one after the other: hangs (and is timed out) when one was lost.
template <class C>
typename C::task takes_three(C& ctx, const void* batch, std::size_t) {
    auto& b = on<limited_board<C>>(batch);
    auto first = co_await b.limit.acquire(ctx);
    auto second = co_await b.limit.acquire(ctx);
    auto third = co_await b.limit.acquire(ctx);
    auto moved = std::move(first);
    first = std::move(second);
}

template <class C>
typename C::task tries_a_fourth(C& ctx, const void* batch, std::size_t) {
    auto& b = on<limited_board<C>>(batch);
    auto first = co_await b.limit.acquire(ctx);
    auto second = co_await b.limit.acquire(ctx);
    auto third = co_await b.limit.acquire(ctx);
    auto fourth = co_await b.limit.acquire(ctx);
    b.ended.fetch_add(1);
}

template <class R, class C>
void expect_three_permits(contract<R>& t, limited_board<C>* b) {
    t.runtime.run(1, &takes_three<C>, b, policy(1, until::all_done, after(far)));
    t.expect_timed_out(1, &tries_a_fourth<C>, b, policy(1, until::all_done, after(20ms)));
    t.runtime.run(1, &takes_three<C>, b, policy(1, until::all_done, after(far)));
}

template <class C>
typename C::task throws_with_a_permit(C& ctx, const void* batch, std::size_t) {
    auto& b = on<limited_board<C>>(batch);
    inside here(b.frames);
    auto permit = co_await b.limit.acquire(ctx);
    throw std::runtime_error("with a permit");
}

CONTRACT(permits_of_items_that_throw_are_given_back, verb::limit) {
    auto b = t.template make<limited_board<C>>(3U);
    EXPECT_EQ(t.error_of(50, &throws_with_a_permit<C>, b.get(), policy{}), "with a permit");
    expect_three_permits<R, C>(t, b.get());
}

// All but item 0 either hold a permit and sleep or wait for one; item 0 fails.
template <class C>
typename C::task is_cancelled_around_a_permit(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<limited_board<C>>(batch);
    inside here(b.frames);
    if (i == 0) {
        while (b.started.load() < b.others) co_await ctx.sleep_for(1ms);
        co_await ctx.sleep_for(5ms);
        throw std::runtime_error("enough");
    }
    b.started.fetch_add(1);
    auto permit = co_await b.limit.acquire(ctx);
    co_await ctx.sleep_for(far);
    b.ended.fetch_add(1);
}

CONTRACT(permits_of_cancelled_items_are_given_back, verb::limit, verb::sleep) {
    std::size_t n = t.together(10);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (int round = 0; round < 5; ++round) {
        auto b = t.template make<limited_board<C>>(3U);
        b->others = static_cast<std::uint32_t>(n - 1);
        stopwatch clock;
        EXPECT_EQ(
            t.error_of(n, &is_cancelled_around_a_permit<C>, b.get(), policy(unlimited, until::first_error)),
            "enough");
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->ended.load(), 0U);
        expect_three_permits<R, C>(t, b.get());
    }
    t.expect_usable();
}

CONTRACT(a_wait_for_a_permit_ends_at_the_deadline, verb::limit) {
    auto b = t.template make<limited_board<C>>(0U);
    stopwatch clock;
    t.expect_timed_out(t.together(4), &holds_a_permit<C>, b.get(),
                       policy(unlimited, until::all_done, after(30ms)));
    EXPECT_LT(clock.elapsed(), soon);
    EXPECT_EQ(b->ended.load(), 0U);
    t.expect_usable();
}

}  // namespace crossover::contract_test

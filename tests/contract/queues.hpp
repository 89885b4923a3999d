// Channels neither lose nor duplicate an element, drain after close, and wake all waiters.
#pragma once

#include <optional>
#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

template <class C>
struct queue_board : board {
    queue_board(arena& memory, std::size_t capacity) : queue(memory, capacity) {}
    typename C::template channel<std::uint64_t> queue;
    std::size_t producers = 1;
    std::size_t each = 0;                          // elements per producer
    std::atomic<std::uint32_t> producing{0};       // producers that have not ended
    std::span<std::atomic<std::uint32_t>> popped;  // per element
    std::atomic<std::uint32_t> disordered{0};
    std::atomic<std::uint64_t> refused{0};  // pushes after close
};

// Items 0 to producers - 1 push, the others pop until the end. The last producer closes.
template <class C>
typename C::task passes_elements(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<queue_board<C>>(batch);
    inside here(b.frames);
    if (i < b.producers) {
        for (std::size_t k = 0; k < b.each; ++k) {
            bool taken = co_await b.queue.push(ctx, i * b.each + k);
            if (!taken) b.refused.fetch_add(1);
        }
        if (b.producing.fetch_sub(1) == 1) b.queue.close();
        co_return;
    }
    std::optional<std::uint64_t> before;
    for (;;) {
        std::optional<std::uint64_t> value = co_await b.queue.pop(ctx);
        if (!value) break;
        b.popped[*value].fetch_add(1);
        if (b.producers == 1 && before && *before >= *value) b.disordered.fetch_add(1);
        before = value;
    }
    b.ended.fetch_add(1);
}

template <class R>
void expect_all_passed(contract<R>& t, std::size_t producers, std::size_t consumers, std::size_t each,
                       std::size_t capacity, policy rules) {
    using C = typename R::context;
    auto b = t.template make<queue_board<C>>(t.memory, capacity);
    b->producers = producers;
    b->producing = static_cast<std::uint32_t>(producers);
    b->each = each;
    b->popped = t.memory.template make_array<std::atomic<std::uint32_t>>(producers * each);
    t.runtime.run(producers + consumers, &passes_elements<C>, b.get(), rules);
    std::size_t wrong = 0;
    for (const auto& count : b->popped) wrong += count.load() != 1;
    EXPECT_EQ(wrong, 0U) << "elements lost or doubled";
    EXPECT_EQ(b->disordered.load(), 0U) << "one producer's elements come out in order";
    EXPECT_EQ(b->refused.load(), 0U);
    EXPECT_EQ(b->ended.load(), consumers);
}

CONTRACT(one_producer_and_one_consumer_pass_everything_in_order, verb::queue) {
    if (t.runtime.guaranteed_concurrency() < 2) GTEST_SKIP() << "one at a time";
    for (std::size_t capacity : {1, 8, 1'000}) expect_all_passed(t, 1, 1, 5'000, capacity, policy{});
    expect_all_passed(t, 1, 1, 5'000, 8, policy(unlimited, until::first_error));
}

CONTRACT(many_producers_and_consumers_pass_everything_once, verb::queue) {
    std::size_t half = t.together(8) / 2;
    if (half < 2) GTEST_SKIP() << "fewer than four at once";
    for (std::size_t capacity : {1, 8, 1'000}) expect_all_passed(t, half, half, 2'000, capacity, policy{});
    expect_all_passed(t, half, half, 2'000, 8, policy(unlimited, until::first_error));
}

CONTRACT(a_channel_ends_for_all_consumers_even_when_close_races_with_the_last_push, verb::queue) {
    std::size_t n = t.together(5);
    if (n < 3) GTEST_SKIP() << "fewer than three at once";
    for (int round = 0; round < 300; ++round)
        expect_all_passed(t, 1, n - 1, 1 + static_cast<std::size_t>(round % 3), 2, policy{});
}

template <class C>
typename C::task drains_after_close(C& ctx, const void* batch, std::size_t) {
    auto& b = on<queue_board<C>>(batch);
    inside here(b.frames);
    for (std::uint64_t k = 0; k < 5; ++k) co_await b.queue.push(ctx, k);
    b.queue.close();
    bool taken = co_await b.queue.push(ctx, 99U);
    if (!taken) b.refused.fetch_add(1);
    for (std::uint64_t k = 0; k < 5; ++k) {
        std::optional<std::uint64_t> value = co_await b.queue.pop(ctx);
        if (value && *value == k) b.popped[k].fetch_add(1);
    }
    std::optional<std::uint64_t> value = co_await b.queue.pop(ctx);
    if (!value) b.ended.fetch_add(1);
}

CONTRACT(a_closed_channel_refuses_pushes_and_drains, verb::queue) {
    auto b = t.template make<queue_board<C>>(t.memory, 8U);
    b->popped = t.memory.template make_array<std::atomic<std::uint32_t>>(5);
    t.runtime.run(1, &drains_after_close<C>, b.get(), policy{});
    for (const auto& count : b->popped) EXPECT_EQ(count.load(), 1U);
    EXPECT_EQ(b->refused.load(), 1U);
    EXPECT_EQ(b->ended.load(), 1U);
}

// For items of which 0 ends the waits of the others: these pop when producers is 0, else they push into a
// full channel.
template <class R, class Expect>
void while_others_wait(contract<R>& t, Expect expect_of) {
    const std::size_t n = t.together(5);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (std::size_t producers : {0, 1}) {
        auto b = t.template make<queue_board<typename R::context>>(t.memory, 2U);
        b->producers = producers;
        expect_of(*b, n);
    }
}

// Item 0 closes after a while.
template <class C>
typename C::task is_woken_by_close(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<queue_board<C>>(batch);
    inside here(b.frames);
    if (i == 0) {
        co_await ctx.sleep_for(20ms);
        b.queue.close();
        co_return;
    }
    if (b.producers == 0) {
        std::optional<std::uint64_t> value = co_await b.queue.pop(ctx);
        if (!value) b.ended.fetch_add(1);
    } else {
        while (co_await b.queue.push(ctx, 7U)) {
        }
        b.ended.fetch_add(1);
    }
}

CONTRACT(close_wakes_waiting_consumers_and_producers, verb::queue, verb::sleep) {
    while_others_wait(t, [&](auto& b, std::size_t n) {
        t.runtime.run(n, &is_woken_by_close<C>, &b, policy{});
        EXPECT_EQ(b.ended.load(), n - 1);
    });
}

// Item 0 fails.
template <class C>
typename C::task is_cancelled_in_a_channel(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<queue_board<C>>(batch);
    inside here(b.frames);
    if (i == 0) {
        co_await ctx.sleep_for(20ms);
        throw std::runtime_error("enough");
    }
    if (b.producers == 0)
        co_await b.queue.pop(ctx);
    else
        while (co_await b.queue.push(ctx, 7U)) b.started.fetch_add(1);
    b.ended.fetch_add(1);
}

template <class C>
typename C::task counts_what_is_left(C& ctx, const void* batch, std::size_t) {
    auto& b = on<queue_board<C>>(batch);
    b.queue.close();
    for (;;) {
        std::optional<std::uint64_t> value = co_await b.queue.pop(ctx);
        if (!value) break;
        b.stopped.fetch_add(1);
    }
}

CONTRACT(a_failure_cancels_siblings_that_wait_in_a_channel, verb::queue, verb::sleep) {
    while_others_wait(t, [&](auto& b, std::size_t n) {
        stopwatch clock;
        EXPECT_EQ(t.error_of(n, &is_cancelled_in_a_channel<C>, &b, policy(unlimited, until::first_error)),
                  "enough");
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b.ended.load(), 0U);
        t.runtime.run(1, &counts_what_is_left<C>, &b, policy{});
        EXPECT_EQ(b.stopped.load(), b.started.load())
            << "what was pushed before the stop is still there, once";
    });
    t.expect_usable();
}

}  // namespace crossover::contract_test

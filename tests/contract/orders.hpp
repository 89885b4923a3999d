// If a model declares its semaphores or channels FIFO, they serve waiters in the order of arrival.
#pragma once

#include <unistd.h>

#include <map>
#include <optional>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

// What the items want can be had by one at a time. Each draws a number right before it asks. Of two items
// that ask from the same thread the one with the lower number is in line first, because only a wait could let
// the other run between. So no clock is needed, and models of several threads are held to it as well.
struct counter : board {
    static constexpr std::size_t items = 20;
    static constexpr std::size_t rounds = 3;

    std::array<std::atomic<int>, items * rounds> thread{};  // by number
    std::array<std::uint32_t, items * rounds> served{};     // the numbers, in the order of being served
    std::atomic<std::uint32_t> drawn{0};
    std::uint32_t passed = 0;  // changed only by who was served last

    std::uint32_t draw() {
        const std::uint32_t number = drawn.fetch_add(1);
        thread[number].store(::gettid());
        return number;
    }
    void note(std::uint32_t number) { served[passed++] = number; }
    // Who is served first keeps it until all are there, so that there is a line.
    bool all_have_drawn() const { return drawn.load() >= items; }

    void expect_first_come_first_served() const {
        EXPECT_EQ(passed, items * rounds);
        std::map<int, std::uint32_t> latest;
        for (const std::uint32_t number : served) {
            const auto [before, first] = latest.emplace(thread[number].load(), number);
            if (!first) {
                EXPECT_LT(before->second, number) << "one that came later was served first";
                before->second = number;
            }
        }
    }
};

template <class C>
struct permit_counter : counter {
    typename C::semaphore limit{1};
};

template <class C>
typename C::task asks_for_a_permit(C& ctx, const void* batch, std::size_t) {
    auto& b = on<permit_counter<C>>(batch);
    inside here(b.frames);
    for (std::size_t round = 0; round < counter::rounds; ++round) {
        const std::uint32_t number = b.draw();
        auto permit = co_await b.limit.acquire(ctx);
        b.note(number);
        while (!b.all_have_drawn()) co_await ctx.yield();
    }
}

CONTRACT(a_fifo_semaphore_serves_who_came_first, verb::limit, verb::yield) {
    if (C::semaphore::order != discipline::fifo) GTEST_SKIP() << "is barging";
    auto b = t.template make<permit_counter<C>>();
    t.runtime.run(counter::items, &asks_for_a_permit<C>, b.get(), policy{});
    b->expect_first_come_first_served();
}

// One token in a channel: who has it is served.
template <class C>
struct element_counter : counter {
    explicit element_counter(arena& memory) : queue(memory, 1) {}
    typename C::template channel<std::uint64_t> queue;
};

template <class C>
typename C::task asks_for_an_element(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<element_counter<C>>(batch);
    inside here(b.frames);
    if (i == 0) co_await b.queue.push(ctx, 7U);
    for (std::size_t round = 0; round < counter::rounds; ++round) {
        const std::uint32_t number = b.draw();
        std::optional<std::uint64_t> token = co_await b.queue.pop(ctx);
        b.note(number);
        while (!b.all_have_drawn()) co_await ctx.yield();
        co_await b.queue.push(ctx, *token);
    }
}

CONTRACT(a_fifo_channel_serves_the_consumer_that_came_first, verb::queue, verb::yield) {
    if (C::template channel<std::uint64_t>::order != discipline::fifo) GTEST_SKIP() << "is barging";
    auto b = t.template make<element_counter<C>>(t.memory);
    t.runtime.run(counter::items, &asks_for_an_element<C>, b.get(), policy{});
    b->expect_first_come_first_served();
}

// One place in a channel: who fills it is served.
template <class C>
typename C::task asks_for_a_place(C& ctx, const void* batch, std::size_t) {
    auto& b = on<element_counter<C>>(batch);
    inside here(b.frames);
    for (std::size_t round = 0; round < counter::rounds; ++round) {
        const std::uint32_t number = b.draw();
        co_await b.queue.push(ctx, number);
        b.note(number);
        while (!b.all_have_drawn()) co_await ctx.yield();
        co_await b.queue.pop(ctx);
    }
}

CONTRACT(a_fifo_channel_serves_the_producer_that_came_first, verb::queue, verb::yield) {
    if (C::template channel<std::uint64_t>::order != discipline::fifo) GTEST_SKIP() << "is barging";
    auto b = t.template make<element_counter<C>>(t.memory);
    t.runtime.run(counter::items, &asks_for_a_place<C>, b.get(), policy{});
    b->expect_first_come_first_served();
}

}  // namespace crossover::contract_test

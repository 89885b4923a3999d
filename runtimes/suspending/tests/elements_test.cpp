// Tests that elements are neither lost nor duplicated, stay in order, and end with close().
#include "runtimes/suspending/elements.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtimes/suspending/tests/thread_waiter.hpp"

namespace crossover::cross_thread {
namespace {

using ring = elements<std::uint64_t, thread_waiter>;

TEST(elements, an_element_is_handed_to_a_consumer_that_waits) {
    arena memory;
    ring all(memory, 1);
    ring::turn consumer;
    ASSERT_EQ(all.pop_or_wait(consumer), passed::waits);
    EXPECT_EQ(all.try_push(7), passed::yes);
    EXPECT_TRUE(consumer.was_called());
    EXPECT_EQ(consumer.value, 7U);
    EXPECT_FALSE(all.withdraw_consumer(consumer));
    EXPECT_EQ(all.try_push(8), passed::yes) << "the ring is still empty";
    EXPECT_EQ(all.try_push(9), passed::waits);
}

TEST(elements, a_free_place_is_handed_to_a_producer_that_waits) {
    arena memory;
    ring all(memory, 1);
    ASSERT_EQ(all.try_push(1), passed::yes);
    ring::turn producer;
    producer.value = 2;
    ASSERT_EQ(all.push_or_wait(producer), passed::waits);
    std::optional<std::uint64_t> value;
    EXPECT_EQ(all.try_pop(value), passed::yes);
    EXPECT_EQ(value, 1U);
    EXPECT_TRUE(producer.was_called());
    EXPECT_FALSE(producer.value.has_value());
    EXPECT_EQ(all.try_pop(value), passed::yes);
    EXPECT_EQ(value, 2U);
}

TEST(elements, a_producer_that_has_withdrawn_leaves_nothing) {
    arena memory;
    ring all(memory, 1);
    ASSERT_EQ(all.try_push(1), passed::yes);
    ring::turn producer;
    producer.value = 2;
    ASSERT_EQ(all.push_or_wait(producer), passed::waits);
    EXPECT_TRUE(all.withdraw_producer(producer));
    std::optional<std::uint64_t> value;
    EXPECT_EQ(all.try_pop(value), passed::yes);
    EXPECT_EQ(all.try_pop(value), passed::waits);
    EXPECT_FALSE(producer.was_called());
}

TEST(elements, close_calls_everybody_and_lets_the_ring_drain) {
    arena memory;
    ring all(memory, 1);
    ASSERT_EQ(all.try_push(1), passed::yes);
    ring::turn producer;
    producer.value = 2;
    ASSERT_EQ(all.push_or_wait(producer), passed::waits);
    all.close();
    EXPECT_TRUE(producer.was_called());
    EXPECT_TRUE(producer.value.has_value()) << "it was not taken";
    EXPECT_EQ(all.try_push(3), passed::closed);
    std::optional<std::uint64_t> value;
    EXPECT_EQ(all.try_pop(value), passed::yes);
    EXPECT_EQ(all.try_pop(value), passed::closed);
}

TEST(elements, everything_passes_once_between_many_threads) {
    constexpr std::uint64_t each = 3'000;
    arena memory;
    ring all(memory, 4);
    std::vector<std::atomic<int>> seen(2 * each);
    std::atomic<int> producing{2};
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < each; ++i) {
                ring::turn mine;
                mine.value = t * each + i;
                if (all.push_or_wait(mine) == passed::waits) mine.await_call();
            }
            if (producing.fetch_sub(1) == 1) all.close();
        });
        threads.emplace_back([&] {
            for (;;) {
                ring::turn mine;
                if (all.pop_or_wait(mine) == passed::waits) mine.await_call();
                if (!mine.value) return;
                seen[*mine.value].fetch_add(1);
            }
        });
    }
    for (auto& one : threads) one.join();
    for (const auto& count : seen) ASSERT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace crossover::cross_thread

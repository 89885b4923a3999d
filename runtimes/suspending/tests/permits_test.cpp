// Tests that each permit goes to whoever waited longest, and none is lost.
#include "runtimes/suspending/permits.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtimes/suspending/tests/thread_waiter.hpp"

namespace crossover::cross_thread {
namespace {

TEST(permits, are_handed_to_who_waited_longest) {
    permits all(1);
    ASSERT_TRUE(all.try_take());
    thread_waiter first;
    thread_waiter second;
    ASSERT_FALSE(all.take_or_wait(first));
    ASSERT_FALSE(all.take_or_wait(second));
    all.release();
    EXPECT_TRUE(first.was_called());
    EXPECT_FALSE(second.was_called());
    EXPECT_FALSE(all.try_take()) << "it was handed over, not set free";
    all.release();
    EXPECT_TRUE(second.was_called());
}

TEST(permits, who_has_withdrawn_gets_none_and_who_was_handed_one_cannot_withdraw) {
    permits all(0);
    thread_waiter gone;
    thread_waiter stays;
    ASSERT_FALSE(all.take_or_wait(gone));
    ASSERT_FALSE(all.take_or_wait(stays));
    EXPECT_TRUE(all.withdraw(gone));
    all.release();
    EXPECT_FALSE(gone.was_called());
    EXPECT_FALSE(all.withdraw(stays));
    EXPECT_TRUE(stays.was_called());
    all.release();
    EXPECT_TRUE(all.try_take());
}

TEST(permits, a_permit_gives_itself_back_once_wherever_it_was_moved) {
    permits all(2);
    ASSERT_TRUE(all.try_take());
    ASSERT_TRUE(all.try_take());
    {
        permit a(all);
        permit b(all);
        permit moved(std::move(a));
        moved = std::move(b);
    }
    EXPECT_TRUE(all.try_take());
    EXPECT_TRUE(all.try_take());
    EXPECT_FALSE(all.try_take());
}

TEST(permits, never_more_threads_hold_one_than_there_are) {
    permits all(2);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int round = 0; round < 2'000; ++round) {
                thread_waiter mine;
                if (!all.take_or_wait(mine)) mine.await_call();
                const permit held(all);
                const int now = inside.fetch_add(1) + 1;
                for (int seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) continue;
                inside.fetch_sub(1);
            }
        });
    for (auto& each : threads) each.join();
    EXPECT_LE(most.load(), 2);
    EXPECT_TRUE(all.try_take());
    EXPECT_TRUE(all.try_take());
    EXPECT_FALSE(all.try_take());
}

}  // namespace
}  // namespace crossover::cross_thread

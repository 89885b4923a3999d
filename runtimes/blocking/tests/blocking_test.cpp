// What blocking models share: coroutines that never suspend, parkers, bells, semaphores and channels, with
// plain threads.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtimes/blocking/async.hpp"
#include "runtimes/blocking/channel.hpp"
#include "runtimes/blocking/frames.hpp"
#include "runtimes/blocking/parker.hpp"
#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"

namespace crossover::blocking {
namespace {

using namespace std::chrono_literals;

time_point now() { return std::chrono::steady_clock::now(); }

// --- async ---

async<int> forty_two(int& runs) {
    ++runs;
    co_return 42;
}

async<int> awaits_it(int& runs) {
    int value = co_await forty_two(runs);
    co_return value + 1;
}

async<> throws_text() {
    throw std::runtime_error("text");
    co_return;
}

TEST(blocking_async, starts_when_finished_and_not_before) {
    int runs = 0;
    async<int> lazy = awaits_it(runs);
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(lazy.finish(), 43);
    EXPECT_EQ(runs, 1);
    { async<int> never_finished = forty_two(runs); }
    EXPECT_EQ(runs, 1);
}

TEST(blocking_async, default_constructed_is_done) { EXPECT_NO_THROW(async<>().finish()); }

TEST(blocking_async, gives_exceptions_to_whoever_finishes_it) {
    EXPECT_THROW(throws_text().finish(), std::runtime_error);
}

TEST(blocking_frames, come_from_the_stack_of_the_worker_and_go_back) {
    alignas(16) std::array<std::byte, 4096> memory;
    frames stack(memory.data(), memory.size());
    frames::current = &stack;
    int runs = 0;
    {
        async<int> outer = awaits_it(runs);
        EXPECT_EQ(stack.alive(), 1U);
        EXPECT_EQ(outer.finish(), 43);
    }
    EXPECT_EQ(stack.alive(), 0U);
    for (int round = 0; round < 1'000; ++round) awaits_it(runs).finish();
    std::vector<async<int>> kept;
    EXPECT_THROW(for (int k = 0; k < 1'000; ++k) kept.push_back(forty_two(runs)), std::bad_alloc);
    kept.clear();
    EXPECT_EQ(stack.alive(), 0U);
    frames::current = nullptr;
}

// --- parker ---

TEST(parker, a_wait_ends_at_its_time_and_says_so) {
    parker own;
    time_point until = now() + 5ms;
    while (own.wait(nullptr, nullptr, 0, until)) {
    }
    EXPECT_GE(now(), until);
    EXPECT_FALSE(own.wait(nullptr, nullptr, 0, time_point::min()));
}

TEST(parker, a_raised_stop_wakes_waits_of_every_kind) {
    for (int kind = 0; kind < 3; ++kind) {
        parker own;
        stop_state outer;
        stop_state stop(&outer);
        std::atomic<std::uint32_t> word{1};
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        std::atomic<bool> was_cancelled{false};
        std::thread blocked([&] {
            try {
                for (;;) {
                    if (kind == 0) own.wait(&stop, nullptr, 0, never);
                    if (kind == 1) own.wait(&stop, &word, 1, now() + 30s);
                    if (kind == 2) own.wait_ready(&stop, pipe[0], 1, never);
                }
            } catch (const cancelled&) {
                was_cancelled = true;
            }
        });
        std::this_thread::sleep_for(kind == 0 ? 0ms : 5ms);
        outer.raise();
        own.wake();
        blocked.join();
        EXPECT_TRUE(was_cancelled);
        ::close(pipe[0]);
        ::close(pipe[1]);
    }
}

TEST(parker, the_deadline_of_a_batch_around_ends_a_wait_as_cancelled) {
    parker own;
    stop_state outer(nullptr, now() + 10ms);
    stop_state stop(&outer);
    EXPECT_THROW(for (;;) own.wait(&stop, nullptr, 0, never), cancelled);
}

// --- event_count, semaphore, channel ---

// Workers that acquire, are cancelled at random moments, and give back: at the end all permits are there and
// nobody hangs.
TEST(blocking_semaphore, keeps_its_permits_through_thousands_of_cancellations) {
    constexpr std::size_t permits = 2;
    semaphore limit(permits);
    std::atomic<int> holders{0};
    std::atomic<bool> too_many{false};
    for (int round = 0; round < 200; ++round) {
        std::array<parker, 6> parkers;
        std::array<stop_state, 2> stops;
        std::vector<std::thread> workers;
        for (std::size_t w = 0; w < parkers.size(); ++w)
            workers.emplace_back([&, w] {
                verbs ctx(parkers[w], &stops[w % 2]);
                try {
                    for (int k = 0; k < 20; ++k) {
                        auto held = limit.acquire(ctx).await_resume();
                        if (holders.fetch_add(1) >= static_cast<int>(permits)) too_many = true;
                        if (k % 4 == 0) std::this_thread::yield();
                        holders.fetch_sub(1);
                    }
                } catch (const cancelled&) {
                }
            });
        stops[0].raise();  // half of the workers are cancelled, the others must get on
        for (std::size_t w = 0; w < parkers.size(); w += 2) parkers[w].wake();
        for (auto& worker : workers) worker.join();
    }
    EXPECT_FALSE(too_many);
    parker own;
    verbs ctx(own, nullptr);
    auto first = limit.acquire(ctx).await_resume();
    auto second = limit.acquire(ctx).await_resume();
    stop_state soon(nullptr, now() + 5ms);
    verbs hurried(own, &soon);
    EXPECT_THROW((void)limit.acquire(hurried), cancelled);
}

// Consumers that are cancelled take no element with them and leave nobody asleep.
TEST(blocking_channel, loses_nothing_when_waiting_consumers_are_cancelled) {
    arena memory(std::size_t{1} << 20);
    for (int round = 0; round < 200; ++round) {
        arena::scope used(memory);
        channel<std::uint64_t> queue(memory, 4);
        std::array<parker, 5> parkers;
        stop_state some;
        std::atomic<std::uint64_t> sum{0};
        std::vector<std::thread> workers;
        for (std::size_t w = 0; w < 4; ++w)
            workers.emplace_back([&, w] {
                verbs ctx(parkers[w], w < 2 ? &some : nullptr);
                try {
                    while (auto value = queue.pop(ctx).await_resume()) sum.fetch_add(*value);
                } catch (const cancelled&) {
                }
            });
        workers.emplace_back([&] {
            verbs ctx(parkers[4], nullptr);
            for (std::uint64_t k = 1; k <= 100; ++k) (void)queue.push(ctx, k);
            queue.close();
        });
        some.raise();
        parkers[0].wake();
        parkers[1].wake();
        for (auto& worker : workers) worker.join();
        ASSERT_EQ(sum.load(), 5'050U);
    }
}

// --- stream ---

TEST(blocking_stream, reads_writes_and_ends_also_after_a_move) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    parker own;
    verbs ctx(own, nullptr);
    stream first(ends[0]);
    stream second(ends[1]);
    stream moved(std::move(first));
    std::array<std::byte, 3> out{std::byte{1}, std::byte{2}, std::byte{3}};
    std::array<std::byte, 8> in{};
    moved.write_all(ctx, out);
    EXPECT_EQ(second.read_some(ctx, in).await_resume(), 3U);
    EXPECT_EQ(in[2], std::byte{3});
    EXPECT_THROW((void)second.read_some(ctx, in, now() + 2ms), timed_out);
    EXPECT_THROW((void)second.read_some(ctx, in, time_point::min()), timed_out);
    moved.close();
    EXPECT_EQ(second.read_some(ctx, in).await_resume(), 0U);
}

}  // namespace
}  // namespace crossover::blocking

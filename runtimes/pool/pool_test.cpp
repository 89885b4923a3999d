// The pool of threads beyond the contract: its deque under thieves, more workers than cores, and what it
// refuses.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "runtimes/errors.hpp"
#include "runtimes/pool/stealing_pool.hpp"
#include "runtimes/pool/task_deque.hpp"

namespace crossover::pool {
namespace {

using namespace std::chrono_literals;

TEST(task_deque, gives_the_newest_to_its_owner_and_the_oldest_to_thieves) {
    task_deque tasks;
    EXPECT_FALSE(tasks.steal());
    EXPECT_FALSE(tasks.pop(tasks.end()));
    task_deque::position start = tasks.end();
    for (std::uint32_t k = 0; k < 4; ++k) ASSERT_TRUE(tasks.push(task{nullptr, k, k + 1}));
    EXPECT_EQ(tasks.steal()->first, 0U);
    EXPECT_EQ(tasks.pop(start)->first, 3U);
    EXPECT_EQ(tasks.pop(start + 2)->first, 2U);
    EXPECT_FALSE(tasks.pop(start + 2)) << "what lies before belongs to somebody else";
    EXPECT_EQ(tasks.pop(start)->first, 1U);
    EXPECT_FALSE(tasks.pop(start));
}

TEST(task_deque, lets_thieves_take_only_from_a_position_on_and_only_what_is_still_wanted) {
    task_deque tasks;
    task_deque::position start = tasks.end();
    ASSERT_TRUE(tasks.push(task{nullptr, 1, 2}));
    EXPECT_FALSE(tasks.steal(start + 1, [] { return true; }));
    EXPECT_FALSE(tasks.steal(start, [] { return false; }));
    EXPECT_TRUE(tasks.steal(start, [] { return true; }));
}

TEST(task_deque, refuses_a_push_when_full) {
    auto tasks = std::make_unique<task_deque>();
    for (std::uint32_t k = 0; k < task_deque::capacity; ++k)
        ASSERT_TRUE(tasks->push(task{nullptr, k, k + 1}));
    EXPECT_FALSE(tasks->push(task{nullptr, 0, 1}));
    EXPECT_TRUE(tasks->steal());
    EXPECT_TRUE(tasks->push(task{nullptr, 0, 1}));
}

TEST(task_deque, every_task_goes_to_exactly_one_taker) {
    task_deque tasks;
    constexpr std::uint32_t count = 100'000;
    std::vector<std::atomic<std::uint8_t>> taken(count);
    std::atomic<bool> filling{true};
    auto take = [&](const task& t) { taken[t.first].fetch_add(1); };
    std::vector<std::thread> thieves;
    for (int k = 0; k < 3; ++k)
        thieves.emplace_back([&] {
            while (filling.load())
                if (auto found = tasks.steal()) take(*found);
        });
    task_deque::position start = tasks.end();
    for (std::uint32_t k = 0; k < count; ++k) {
        while (!tasks.push(task{nullptr, k, k + 1}))
            if (auto mine = tasks.pop(start)) take(*mine);
        if (k % 3 == 0)
            if (auto mine = tasks.pop(start)) take(*mine);
    }
    while (auto mine = tasks.pop(start)) take(*mine);
    filling = false;
    for (auto& thief : thieves) thief.join();
    for (const auto& times : taken) ASSERT_EQ(times.load(), 1);
}

struct counted {
    std::atomic<std::uint64_t> items{0};
};

context::task counts(context&, const void* batch, std::size_t) {
    static_cast<counted*>(const_cast<void*>(batch))->items.fetch_add(1, std::memory_order_relaxed);
    return {};
}

TEST(stealing_pool, sixteen_workers_on_few_cores_run_a_million_items_once) {
    stealing_pool pool(16);
    counted all;
    for (int round = 0; round < 10; ++round) pool.run(100'000, &counts, &all, policy{});
    EXPECT_EQ(all.items.load(), 1'000'000U);
    for (int round = 0; round < 2'000; ++round)
        pool.run(static_cast<std::size_t>(round % 40), &counts, &all, policy{});
    EXPECT_EQ(all.items.load(), 1'000'000U + 50 * 780);
}

struct call {
    const std::uint32_t* n;
    std::uint64_t* result;
};

// fib without coroutines, so that a level takes little stack.
context::task fib(context& ctx, const void* batch, std::size_t i) {
    const call& mine = *static_cast<const call*>(batch);
    std::uint32_t n = mine.n[i];
    if (n < 2) {
        mine.result[i] = n;
        return {};
    }
    std::uint32_t below[2] = {n - 1, n - 2};
    std::uint64_t parts[2] = {};
    call children{below, parts};
    (void)ctx.run(2, &fib, &children, policy{});
    mine.result[i] = parts[0] + parts[1];
    return {};
}

TEST(stealing_pool, trees_on_sixteen_workers_help_each_other_to_the_right_sum) {
    for (std::size_t workers : {1, 2, 16}) {
        stealing_pool pool(workers);
        for (int round = 0; round < 5; ++round) {
            std::uint32_t n[4] = {18, 19, 20, 21};
            std::uint64_t results[4] = {};
            call roots{n, results};
            pool.run(4, &fib, &roots, policy{});
            EXPECT_EQ(results[0], 2'584U);
            EXPECT_EQ(results[1], 4'181U);
            EXPECT_EQ(results[2], 6'765U);
            EXPECT_EQ(results[3], 10'946U);
        }
    }
}

struct meeting {
    std::atomic<std::uint32_t> there{0};
    std::uint32_t expected = 0;
};

context::task meets(context& ctx, const void* batch, std::size_t) {
    auto& all = *static_cast<meeting*>(const_cast<void*>(batch));
    all.there.fetch_add(1);
    while (all.there.load() < all.expected) (void)ctx.sleep_for(100us);
    return {};
}

context::task holds_a_meeting_below(context& ctx, const void* batch, std::size_t) {
    (void)ctx.run(static_cast<const meeting*>(batch)->expected, &meets, batch, policy{});
    return {};
}

// The worker that waits for the batch is needed for one of its items, however late they are left to it.
TEST(stealing_pool, as_many_nested_items_as_workers_are_alive_together) {
    for (std::size_t workers : {2, 3, 5}) {
        stealing_pool pool(workers);
        for (int round = 0; round < 100; ++round) {
            meeting all;
            all.expected = static_cast<std::uint32_t>(workers);
            pool.run(1, &holds_a_meeting_below, &all, policy{});
            ASSERT_EQ(all.there.load(), workers);
        }
    }
}

#if !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)  // they need more address space than the limit
TEST(stealing_pool, threads_that_the_system_does_not_give_are_refused_with_the_limits) {
    auto needs_too_much = [] {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = std::size_t{256} << 20;
        ::setrlimit(RLIMIT_AS, &limit);
        try {
            stealing_pool pool(256);
        } catch (const refused& e) {
            std::fputs(e.what(), stderr);
            std::_Exit(std::strchr(e.what(), '\n') ? 1 : 3);
        }
        std::_Exit(0);
    };
    EXPECT_EXIT(needs_too_much(), ::testing::ExitedWithCode(3), "address space .ulimit -v. 268435456");
}
#endif

TEST(stealing_pool, a_batch_that_is_too_large_is_refused) {
    stealing_pool pool(1);
    EXPECT_THROW(pool.run(std::size_t{1} << 40, &counts, nullptr, policy{}), refused);
}

}  // namespace
}  // namespace crossover::pool

// The pool of threads beyond the contract: more workers than cores, nesting, and what it refuses.
#include "runtimes/threads/threads.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "runtimes/scheduler/patience.hpp"
#include "runtimes/system/errors.hpp"

namespace crossover::pool {
namespace {

using namespace std::chrono_literals;

struct counted {
    std::atomic<std::uint64_t> items{0};
};

threads::context::task counts(threads::context&, const void* batch, std::size_t) {
    static_cast<counted*>(const_cast<void*>(batch))->items.fetch_add(1, std::memory_order_relaxed);
    return {};
}

TEST(pool_of_threads, sixteen_workers_on_few_cores_run_a_million_items_once) {
    threads pool(16, look_on);
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
threads::context::task fib(threads::context& ctx, const void* batch, std::size_t i) {
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

TEST(pool_of_threads, trees_on_sixteen_workers_help_each_other_to_the_right_sum) {
    for (std::size_t workers : {1, 2, 16}) {
        threads pool(workers, look_on);
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

threads::context::task meets(threads::context& ctx, const void* batch, std::size_t) {
    auto& all = *static_cast<meeting*>(const_cast<void*>(batch));
    all.there.fetch_add(1);
    while (all.there.load() < all.expected) (void)ctx.sleep_for(20us);
    return {};
}

threads::context::task holds_a_meeting_below(threads::context& ctx, const void* batch, std::size_t) {
    (void)ctx.run(static_cast<const meeting*>(batch)->expected, &meets, batch, policy{});
    return {};
}

// The worker that waits for the batch is needed for one of its items, however late they are left to it.
TEST(pool_of_threads, as_many_nested_items_as_workers_are_alive_together) {
    for (std::size_t workers : {2, 3, 5}) {
        threads pool(workers, look_on);
        for (int round = 0; round < 100; ++round) {
            meeting all;
            all.expected = static_cast<std::uint32_t>(workers);
            pool.run(1, &holds_a_meeting_below, &all, policy{});
            ASSERT_EQ(all.there.load(), workers);
        }
    }
}

// One who looks for work while another steals some must not rest: nobody would call it again.
TEST(pool_of_threads, as_many_items_as_workers_are_alive_together_however_soon_workers_rest) {
    constexpr std::uint32_t workers = 16;
    threads pool(workers, 0ns);
    for (int round = 0; round < 5'000; ++round) {
        meeting all;
        all.expected = workers;
        policy rules;
        rules.deadline = std::chrono::steady_clock::now() + 10s;
        ASSERT_NO_THROW(pool.run(workers, &meets, &all, rules)) << "in round " << round;
    }
}

struct rescue {
    std::atomic<bool> begun{false};
    std::atomic<int> in_vain{0};
};

threads::context::task waits_to_be_rescued(threads::context& ctx, const void* batch, std::size_t) {
    auto& all = *static_cast<rescue*>(const_cast<void*>(batch));
    const auto give_up = std::chrono::steady_clock::now() + 5s;
    while (!all.begun.load()) {
        if (std::chrono::steady_clock::now() >= give_up) {
            all.in_vain.fetch_add(1);
            break;
        }
        (void)ctx.sleep_for(20us);
    }
    return {};
}

threads::context::task rescues_or_nests(threads::context& ctx, const void* batch, std::size_t i) {
    if (i == 0)
        static_cast<rescue*>(const_cast<void*>(batch))->begun.store(true);
    else
        (void)ctx.run(2, &waits_to_be_rescued, batch, policy{});
    return {};
}

// One that still looks around after the last batch may see what an item nests before it sees the other item.
TEST(pool_of_threads, nobody_helps_with_what_an_item_nests_while_another_item_has_not_begun) {
    threads pool(2, look_on);
    rescue all;
    for (int round = 0; round < 5'000; ++round) {
        all.begun.store(false);
        pool.run(2, &rescues_or_nests, &all, policy{});
        ASSERT_EQ(all.in_vain.load(), 0) << "in round " << round;
    }
}

#if !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)  // they need more address space than the limit
TEST(pool_of_threads, threads_that_the_system_does_not_give_are_refused_with_the_limits) {
    auto needs_too_much = [] {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = std::size_t{256} << 20;
        ::setrlimit(RLIMIT_AS, &limit);
        try {
            threads pool(256, look_on);
        } catch (const refused& e) {
            std::fputs(e.what(), stderr);
            std::_Exit(std::strchr(e.what(), '\n') ? 1 : 3);
        }
        std::_Exit(0);
    };
    EXPECT_EXIT(needs_too_much(), ::testing::ExitedWithCode(3), "address space .ulimit -v. 268435456");
}
#endif

TEST(pool_of_threads, more_than_it_can_hold_are_refused) { EXPECT_THROW(threads(1'025, look_on), refused); }

TEST(pool_of_threads, no_more_items_are_alive_than_the_policy_says) {
    struct tally {
        std::atomic<int> alive{0};
        std::atomic<int> most{0};
        std::atomic<int> ran{0};
    };
    threads pool(4, look_on);
    for (std::size_t in_flight : {1, 2, 3}) {
        tally all;
        const job<threads::context> each = [](threads::context& ctx, const void* batch,
                                              std::size_t) -> threads::context::task {
            auto& t = *static_cast<tally*>(const_cast<void*>(batch));
            const int now = t.alive.fetch_add(1) + 1;
            int most = t.most.load();
            while (now > most && !t.most.compare_exchange_weak(most, now)) {
            }
            co_await ctx.sleep_for(200us);
            t.alive.fetch_sub(1);
            t.ran.fetch_add(1);
        };
        pool.run(40, each, &all, policy(in_flight));
        EXPECT_LE(all.most.load(), static_cast<int>(in_flight));
        EXPECT_EQ(all.ran.load(), 40);
    }
}

// A worker that waits for a thief sleeps meanwhile; it is needed for what the thief nests.
struct two_levels {
    meeting below;
    std::atomic<std::size_t> nested_by{2};
};

TEST(pool_of_threads, a_sleeping_owner_is_woken_for_what_its_thief_nests) {
    threads pool(2, look_on);
    for (int round = 0; round < 20; ++round) {
        two_levels all;
        all.below.expected = 2;
        const job<threads::context> inner = [](threads::context& ctx, const void* batch,
                                               std::size_t i) -> threads::context::task {
            auto& levels = *static_cast<two_levels*>(const_cast<void*>(batch));
            if (levels.nested_by.exchange(i) == 2) {  // the first: goes to sleep waiting for the other
                while (levels.nested_by.load() == i) co_await ctx.sleep_for(50us);
                co_return;
            }
            co_await ctx.sleep_for(2ms);
            co_await ctx.run(2, &meets, &levels.below, policy{});
        };
        struct call_of {
            job<threads::context> inner;
            two_levels* levels;
        } call{inner, &all};
        const job<threads::context> outer = [](threads::context& ctx, const void* batch,
                                               std::size_t) -> threads::context::task {
            const auto& c = *static_cast<const call_of*>(batch);
            co_await ctx.run(2, c.inner, c.levels, policy{});
        };
        pool.run(1, outer, &call, policy{});
        ASSERT_EQ(all.below.there.load(), 2U);
    }
}

}  // namespace
}  // namespace crossover::pool

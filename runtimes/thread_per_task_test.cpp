// thread_per_task beyond the contract: what happens when the system gives no further thread.
#include "runtimes/thread_per_task.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace crossover {
namespace {

using namespace std::chrono_literals;

// Sanitizers need more address space than the limit of this test.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

thread_per_task::context::task sleeps(thread_per_task::context& ctx, const void* batch, std::size_t) {
    static_cast<std::atomic<int>*>(const_cast<void*>(batch))->fetch_add(1);
    co_await ctx.sleep_for(30s);
}

TEST(thread_per_task,
     a_thread_that_the_system_does_not_give_is_refused_after_the_started_items_were_stopped) {
    auto needs_too_much = [] {
        arena memory(std::size_t{1} << 20);
        thread_per_task runtime(options{1, &memory});
        rlimit limit{};
        ::getrlimit(RLIMIT_AS, &limit);
        limit.rlim_cur = std::size_t{512} << 20;
        ::setrlimit(RLIMIT_AS, &limit);
        std::atomic<int> started{0};
        auto start = std::chrono::steady_clock::now();
        try {
            runtime.run(2'000, &sleeps, &started, policy(unlimited, until::first_error));
        } catch (const refused& e) {
            bool at_once = std::chrono::steady_clock::now() - start < 10s;
            std::fputs(e.what(), stderr);
            std::_Exit(at_once && started.load() > 0 && !std::strchr(e.what(), '\n') ? 3 : 1);
        }
        std::_Exit(0);
    };
    EXPECT_EXIT(needs_too_much(), ::testing::ExitedWithCode(3), "address space .ulimit -v. 536870912");
}
#endif

TEST(thread_per_task, a_batch_larger_than_at_once_starts_the_rest_as_others_end) {
    arena memory(std::size_t{1} << 20);
    thread_per_task runtime(options{1, &memory});
    std::atomic<int> runs{0};
    std::size_t n = runtime.at_once() + 1'000;
    runtime.run(
        n,
        [](thread_per_task::context&, const void* batch, std::size_t) {
            static_cast<std::atomic<int>*>(const_cast<void*>(batch))->fetch_add(1);
            return thread_per_task::context::task{};
        },
        &runs, policy{});
    EXPECT_EQ(runs.load(), static_cast<int>(n));
}

}  // namespace
}  // namespace crossover

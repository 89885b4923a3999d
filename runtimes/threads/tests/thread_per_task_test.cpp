// thread_per_task beyond the contract: what happens when the system gives no further thread.
#include "runtimes/threads/thread_per_task.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace crossover {
namespace {

using namespace std::chrono_literals;

// Sanitizers need more address space than the limit of this test.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

using context = thread_per_task::context;

// What an item waits for, which only the end of the batch ends.
struct waits {
    arena memory{std::size_t{1} << 20};
    std::atomic<int> started{0};
    context::semaphore none{0};
    context::channel<std::uint64_t> empty{memory, 1};
    int silent = -1;  // a socket
};

waits& begin(const void* batch) {
    auto& all = *static_cast<waits*>(const_cast<void*>(batch));
    all.started.fetch_add(1);
    return all;
}

context::task sleeps(context& ctx, const void* batch, std::size_t) {
    begin(batch);
    co_await ctx.sleep_for(30s);
}

context::task waits_for_a_permit(context& ctx, const void* batch, std::size_t) {
    auto permit = co_await begin(batch).none.acquire(ctx);
}

context::task waits_for_an_element(context& ctx, const void* batch, std::size_t) {
    co_await begin(batch).empty.pop(ctx);
}

context::task waits_for_a_byte(context& ctx, const void* batch, std::size_t) {
    context::stream quiet(::dup(begin(batch).silent));
    std::array<std::byte, 1> byte{};
    co_await quiet.read_some(ctx, byte, never);
}

context::task waits_below(context& ctx, const void* batch, std::size_t) {
    begin(batch);
    policy rules;
    co_await ctx.run(1, &waits_for_a_byte, batch, rules);
}

// In a process with little address space: 3 if the run is refused soon, after some items have started.
void run_with_little_memory(job<context> each, const policy& rules) {
    waits all;
    std::array<int, 2> ends{};
    ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data());
    all.silent = ends[0];
    arena memory(std::size_t{1} << 20);
    thread_per_task runtime(options{1, &memory});
    rlimit limit{};
    ::getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = std::size_t{512} << 20;
    ::setrlimit(RLIMIT_AS, &limit);
    auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < 10s) {
        try {
            runtime.run(2'000, each, &all, rules);
            std::_Exit(0);
        } catch (const std::exception& e) {
            // On a busy machine the last thread may be refused before the first one has run.
            if (all.started.load() == 0) continue;
            std::fputs(e.what(), stderr);
            bool soon = std::chrono::steady_clock::now() - start < 10s;
            std::_Exit(soon && !std::strchr(e.what(), '\n') ? 3 : 1);
        }
    }
    std::_Exit(1);
}

TEST(thread_per_task, a_thread_that_the_system_does_not_give_is_refused_whatever_the_started_items_wait_for) {
    for (job<context> each :
         {&sleeps, &waits_for_a_permit, &waits_for_an_element, &waits_for_a_byte, &waits_below})
        for (until rule : {until::all_done, until::first_error})
            EXPECT_EXIT(run_with_little_memory(each, policy(unlimited, rule)), ::testing::ExitedWithCode(3),
                        "address space .ulimit -v. 536870912");
}
#endif

TEST(thread_per_task, a_batch_larger_than_at_once_starts_the_rest_as_others_end) {
    arena memory(std::size_t{1} << 20);
    thread_per_task runtime(options{1, &memory});
    std::atomic<int> runs{0};
    std::size_t n = runtime.guaranteed_concurrency() + 1'000;
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

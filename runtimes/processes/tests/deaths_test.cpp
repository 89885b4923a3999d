// Processes that die at every point an item can be in: always a clear error or a recovery, never a hang.
#include "runtimes/processes/tests/deaths.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "runtimes/processes/process_per_task.hpp"
#include "runtimes/processes/process_pool.hpp"
#include "runtimes/processes/process_pool_wide.hpp"

namespace crossover::deaths_test {
namespace {

constexpr int slow_rounds = 2;  // where the others have to be killed, after a second
constexpr auto far = 60s;

using models = ::testing::Types<process_pool, process_pool_wide, process_per_task>;
TYPED_TEST_SUITE(deaths, models, name_of);

// Item 0 dies once all others have come to where they wait.
template <class C>
typename C::template async<void> die_after(C& ctx, scene<C>& s, int others) {
    while (s.waiting.load() < others) co_await ctx.sleep_for(100us);
    co_await ctx.sleep_for(1ms);
    ::raise(SIGKILL);
}

template <class C>
typename C::task dies_beside_the_waiting_for_a_permit(C& ctx, const void* batch, std::size_t i) {
    auto& s = on<C>(batch);
    if (i != 0)
        while (s.victim.load() == 0) co_await ctx.sleep_for(100us);
    s.waiting.fetch_add(i != 0);
    auto held = co_await s.permits.acquire(ctx);
    s.victim.store(1);
    co_await die_after(ctx, s, 2);
    s.ended.fetch_add(1);
}
TYPED_TEST(deaths, of_one_that_holds_a_permit_others_wait_for) {
    this->expect_death_of_item_0(&dies_beside_the_waiting_for_a_permit<typename TypeParam::context>);
}

template <class C>
typename C::task dies_beside_the_waiting_for_an_element(C& ctx, const void* batch, std::size_t i) {
    auto& s = on<C>(batch);
    if (i == 0) co_await die_after(ctx, s, 2);
    s.waiting.fetch_add(1);
    co_await s.queue.pop(ctx);
    s.ended.fetch_add(1);
}
TYPED_TEST(deaths, of_one_that_others_wait_for_at_a_channel) {
    this->expect_death_of_item_0(&dies_beside_the_waiting_for_an_element<typename TypeParam::context>);
}

template <class C>
typename C::task dies_beside_the_reading(C& ctx, const void* batch, std::size_t i) {
    auto& s = on<C>(batch);
    if (i == 0) co_await die_after(ctx, s, 2);
    auto line = co_await ctx.connect(s.server, never);
    s.waiting.fetch_add(1);
    std::array<std::byte, 1> in;
    co_await line.read_some(ctx, std::span<std::byte>(in), never);
    s.ended.fetch_add(1);
}
TYPED_TEST(deaths, of_one_beside_others_that_read_a_socket) {
    this->expect_death_of_item_0(&dies_beside_the_reading<typename TypeParam::context>);
}

template <class C>
typename C::task dies_beside_the_sleeping(C& ctx, const void* batch, std::size_t i) {
    auto& s = on<C>(batch);
    if (i == 0) co_await die_after(ctx, s, 2);
    s.waiting.fetch_add(1);
    co_await ctx.sleep_for(far);
    s.ended.fetch_add(1);
}
TYPED_TEST(deaths, of_one_beside_others_that_sleep) {
    this->expect_death_of_item_0(&dies_beside_the_sleeping<typename TypeParam::context>);
}

template <class C>
typename C::task dies_beside_the_deaf(C& ctx, const void* batch, std::size_t i) {
    auto& s = on<C>(batch);
    if (i == 0) co_await die_after(ctx, s, 2);
    s.waiting.fetch_add(1);
    for (;;) ::usleep(1'000);  // waits for what will never come, and looks at no stop
}
TYPED_TEST(deaths, of_one_beside_others_that_never_look_at_a_stop) {
    this->expect_death_of_item_0(&dies_beside_the_deaf<typename TypeParam::context>, policy{}, 3,
                                 slow_rounds);
}

// --- In a nested batch ---

template <class C>
typename C::task dies_or_sleeps(C& ctx, const void* batch, std::size_t i) {
    auto& s = on<C>(batch);
    if (i == 2) co_await die_after(ctx, s, 2);
    s.waiting.fetch_add(1);
    co_await ctx.sleep_for(far);
    s.ended.fetch_add(1);
}
template <class C>
typename C::task has_a_child_that_dies(C& ctx, const void* batch, std::size_t i) {
    if (i != 0) {
        co_await ctx.sleep_for(5ms);
        co_return;
    }
    co_await ctx.run(3, &dies_or_sleeps<C>, batch, policy{});
    on<C>(batch).ended.fetch_add(1);
}
TYPED_TEST(deaths, of_a_child_that_its_parent_waits_for) {
    this->expect_death_of_item_0(&has_a_child_that_dies<typename TypeParam::context>, policy{}, 1);
}

template <class C>
typename C::task grandchild_dies(C& ctx, const void* batch, std::size_t i) {
    co_await ctx.run(3, &dies_or_sleeps<C>, batch, policy(unlimited, until::first_error));
    on<C>(batch).ended.fetch_add(static_cast<int>(i) + 1);
}
template <class C>
typename C::task has_a_grandchild_that_dies(C& ctx, const void* batch, std::size_t) {
    co_await ctx.run(1, &grandchild_dies<C>, batch, policy(unlimited, until::all_done, never));
    on<C>(batch).ended.fetch_add(1);
}
TYPED_TEST(deaths, of_a_grandchild_inside_batches_with_stop_rules_of_their_own) {
    this->expect_death_of_item_0(&has_a_grandchild_that_dies<typename TypeParam::context>,
                                 policy(unlimited, until::first_result), 1);
}

struct tree_node {
    int n;
    std::array<std::uint64_t, 2> values;
    std::atomic<std::uint32_t>* fuse;  // how many leaves until one dies
};
template <class C>
typename C::task fib(C& ctx, const void* batch, std::size_t i) {
    auto& parent = *static_cast<tree_node*>(const_cast<void*>(batch));
    tree_node mine{parent.n - 1 - static_cast<int>(i), {}, parent.fuse};
    if (mine.n < 2) {
        if (mine.fuse->fetch_sub(1) == 1) ::raise(SIGKILL);
        parent.values[i] = static_cast<std::uint64_t>(mine.n);
        co_return;
    }
    co_await ctx.run(2, &fib<C>, &mine, policy{});
    parent.values[i] = mine.values[0] + mine.values[1];
}
TYPED_TEST(deaths, anywhere_in_a_tree_that_all_work_on) {
    constexpr bool forks = std::is_same_v<TypeParam, process_per_task>;
    constexpr int depth = forks ? 12 : 18;
    for (std::uint32_t leaf = 1; leaf < (forks ? 200U : 4'000U); leaf += forks ? 23 : 37) {
        arena::scope scope(this->memory);
        auto* fuse = this->memory.template make<std::atomic<std::uint32_t>>(leaf);
        auto* root = this->memory.template make<tree_node>(tree_node{depth + 1, {}, fuse});
        try {
            this->runtime.run(1, &fib<typename TypeParam::context>, root, policy{});
            ADD_FAILURE() << "the death went unnoticed";
        } catch (const worker_died& e) {
            EXPECT_EQ(e.signal(), SIGKILL);
        }
        fuse->store(0);
        this->runtime.run(2, &fib<typename TypeParam::context>, root, policy{});
        EXPECT_EQ(root->values[0], forks ? 144U : 2'584U);
        EXPECT_EQ(root->values[1], forks ? 89U : 1'597U);
    }
}

// --- Other ways to go ---

template <class C>
typename C::task aborts(C&, const void*, std::size_t i) {
    if (i == 2) {
        std::signal(SIGABRT, SIG_DFL);
        std::abort();
    }
    return {};
}
TYPED_TEST(deaths, by_abort_are_named_so) {
    try {
        this->runtime.run(5, &aborts<typename TypeParam::context>, nullptr, policy(1));
        ADD_FAILURE();
    } catch (const worker_died& e) {
        EXPECT_EQ(e.signal(), SIGABRT);
        EXPECT_EQ(e.index(), 2U);
    }
    this->expect_usable();
}

template <class C>
typename C::task leaves(C&, const void*, std::size_t i) {
    if (i == 3) ::_exit(7);
    return {};
}
TYPED_TEST(deaths, by_exit_are_an_error_with_the_status) {
    try {
        this->runtime.run(5, &leaves<typename TypeParam::context>, nullptr, policy{});
        ADD_FAILURE();
    } catch (const item_error& e) {
        EXPECT_EQ(e.index(), 3U);
        EXPECT_NE(std::string(e.what()).find("status 7"), std::string::npos) << e.what();
    }
    this->expect_usable();
}

// The guard page turns what would overwrite another worker's memory into a death.
[[gnu::noinline]] int dig(volatile char* above, int depth) {
    volatile char here[4'096];
    here[0] = above[0];
    return depth == 0 ? here[0] : dig(here, depth - 1) + here[1];
}
template <class C>
typename C::task overflows(C&, const void*, std::size_t i) {
    std::signal(SIGSEGV, SIG_DFL);
    std::signal(SIGBUS, SIG_DFL);
    volatile char top = 0;
    if (i == 1) dig(&top, 1'000'000);
    return {};
}
TYPED_TEST(deaths, by_stack_overflow_hit_nobody_else) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_THROW(this->runtime.run(4, &overflows<typename TypeParam::context>, nullptr, policy{}),
                     worker_died);
        this->expect_usable();
    }
}

}  // namespace
}  // namespace crossover::deaths_test

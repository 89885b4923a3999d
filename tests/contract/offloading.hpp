// Offloaded calls: made elsewhere and awaited, while the threads that serve the items go on with others.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

struct errand;

// What a call is given. In the arena: the executor may be a process.
struct parcel {
    errand* to;
    std::uint64_t index;
    long thread;  // plain memory on purpose: offload() itself must order it
    std::uint64_t answer;
};

struct errand : board {
    std::span<parcel> parcels;
    std::atomic<std::uint32_t> begun{0};
    std::atomic<std::uint32_t> made{0};
    std::atomic<std::uint32_t> open{0};
};

template <class R>
auto make_errand(contract<R>& t, std::size_t n) {
    auto b = t.template make<errand>();
    b->parcels = t.memory.template make_array<parcel>(n);
    for (std::size_t i = 0; i < n; ++i) b->parcels[i] = {b.get(), i, 0, 0};
    return b;
}

inline void runs_elsewhere(void* argument) {
    auto& p = *static_cast<parcel*>(argument);
    p.thread = ::syscall(SYS_gettid);
    p.answer = 3 * p.index + 1;
    p.to->made.fetch_add(1);
}

template <class C>
typename C::task offloads(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<errand>(batch);
    inside here(b.frames);
    parcel& mine = b.parcels[i];
    co_await ctx.offload(&runs_elsewhere, &mine);
    if (mine.answer == 3 * i + 1 && mine.thread != ::syscall(SYS_gettid)) b.ended.fetch_add(1);
}

CONTRACT(offloaded_calls_are_made_on_another_thread_and_awaited, verb::offload) {
    for (std::size_t n : {1, 2'000}) {
        auto b = make_errand(t, n);
        t.runtime.run(n, &offloads<C>, b.get(), policy{});
        EXPECT_EQ(b->made.load(), n);
        EXPECT_EQ(b->ended.load(), n);
    }
}

// Blocks until another item has opened the way.
inline void waits_for_an_item(void* argument) {
    auto& p = *static_cast<parcel*>(argument);
    p.to->begun.fetch_add(1);
    while (p.to->open.load() == 0) ::usleep(500);
    p.to->made.fetch_add(1);
}

template <class C>
typename C::task blocks_or_opens(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<errand>(batch);
    inside here(b.frames);
    if (i < 2) {
        co_await ctx.offload(&waits_for_an_item, &b.parcels[i]);
        b.ended.fetch_add(1);
    } else {
        while (b.begun.load() < 2) co_await ctx.yield();
        b.open.store(1);
    }
}

CONTRACT(items_go_on_while_offloaded_calls_block, verb::offload, verb::yield) {
    auto b = make_errand(t, 2);
    t.runtime.run(3, &blocks_or_opens<C>, b.get(), policy{});
    EXPECT_EQ(b->made.load(), 2U);
    EXPECT_EQ(b->ended.load(), 2U);
}

inline void fails_elsewhere(void* argument) {
    auto& p = *static_cast<parcel*>(argument);
    p.to->made.fetch_add(1);
    throw std::invalid_argument("call " + std::to_string(p.index) + " failed");
}

template <class C>
typename C::task offloads_a_failure(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<errand>(batch);
    inside here(b.frames);
    try {
        co_await ctx.offload(&fails_elsewhere, &b.parcels[i]);
    } catch (const std::exception& e) {
        if (std::string(e.what()).ends_with("call " + std::to_string(i) + " failed")) b.ended.fetch_add(1);
        throw;
    }
}

CONTRACT(what_an_offloaded_call_throws_comes_out_of_the_verb, verb::offload) {
    auto b = make_errand(t, 20);
    std::size_t index = 0;
    const std::string text = t.error_of(20, &offloads_a_failure<C>, b.get(), policy{}, &index);
    EXPECT_TRUE(text.ends_with("call " + std::to_string(index) + " failed")) << text;
    EXPECT_EQ(b->made.load(), 20U);
    EXPECT_EQ(b->ended.load(), 20U);
    t.expect_usable();
}

inline void takes_long(void* argument) {
    auto& p = *static_cast<parcel*>(argument);
    p.to->begun.fetch_add(1);
    ::usleep(20'000);
    p.to->made.fetch_add(1);
}

// Item 0 fails as soon as a call has begun; none of the others gets further than its call.
template <class C>
typename C::task is_stopped_in_its_call(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<errand>(batch);
    inside here(b.frames);
    if (i == 0) {
        while (b.begun.load() == 0) co_await ctx.yield();
        throw std::runtime_error("enough");
    }
    co_await ctx.offload(&takes_long, &b.parcels[i]);
    b.ended.fetch_add(1);
}

CONTRACT(a_stop_waits_for_the_calls_that_have_begun_and_no_other_is_made, verb::offload, verb::yield) {
    auto b = make_errand(t, 1'000);
    stopwatch clock;
    EXPECT_EQ(t.error_of(1'000, &is_stopped_in_its_call<C>, b.get(), policy(unlimited, until::first_error)),
              "enough");
    EXPECT_LT(clock.elapsed(), soon);
    EXPECT_EQ(b->begun.load(), b->made.load()) << "a call was left behind";
    EXPECT_LT(b->made.load(), 500U);
    EXPECT_EQ(b->ended.load(), 0U);
    t.expect_usable();
}

template <class C>
typename C::task waits_its_turn(C& ctx, const void* batch, std::size_t i) {
    inside here(on<errand>(batch).frames);
    co_await ctx.offload(&takes_long, &on<errand>(batch).parcels[i]);
}

CONTRACT(calls_that_have_not_begun_at_the_deadline_are_not_made, verb::offload) {
    auto b = make_errand(t, 1'000);
    stopwatch clock;
    t.expect_timed_out(1'000, &waits_its_turn<C>, b.get(), policy(unlimited, until::all_done, after(60ms)));
    EXPECT_LT(clock.elapsed(), soon);
    EXPECT_EQ(b->begun.load(), b->made.load());
    EXPECT_LT(b->made.load(), 1'000U);
    t.expect_usable();
}

template <class C>
typename C::task forks_and_offloads(C& ctx, const void* batch, std::size_t) {
    inside here(on<errand>(batch).frames);
    policy rules;
    co_await ctx.run(on<errand>(batch).parcels.size(), &offloads<C>, batch, rules);
}

CONTRACT(items_of_nested_batches_offload_too, verb::offload, verb::fork) {
    auto b = make_errand(t, 10);
    t.runtime.run(5, &forks_and_offloads<C>, b.get(),
                  policy(1));  // one after the other: they share the parcels
    EXPECT_EQ(b->made.load(), 50U);
    EXPECT_EQ(b->ended.load(), 50U);
}

inline void dies_elsewhere(void*) { ::raise(SIGKILL); }

template <class C>
typename C::task loses_its_worker(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<errand>(batch);
    inside here(b.frames);
    co_await ctx.offload(i == 3 ? &dies_elsewhere : &runs_elsewhere, &b.parcels[i]);
}

// A batch with the same call in each item of a nested one.
template <class C>
typename C::task loses_its_worker_in_a_nested_batch(C& ctx, const void* batch, std::size_t) {
    const policy rules;
    co_await ctx.run(on<errand>(batch).parcels.size(), &loses_its_worker<C>, batch, rules);
}

template <class R>
void expect_lost(contract<R>& t, std::size_t n, job<typename R::context> each, const void* batch,
                 std::size_t item) {
    try {
        t.runtime.run(n, each, batch, policy{});
        ADD_FAILURE() << "the death went unnoticed";
    } catch (const worker_died& e) {
        EXPECT_EQ(e.index(), item);
        EXPECT_EQ(e.signal(), SIGKILL);
    }
}

CONTRACT(an_executor_process_that_dies_is_named_with_item_and_signal_and_replaced, verb::offload) {
    if (!has_workers<R>) GTEST_SKIP() << "the executor has no processes";
    for (int round = 0; round < 2; ++round) {
        auto b = make_errand(t, 10);
        expect_lost(t, 10, &loses_its_worker<C>, b.get(), 3);
        expect_lost(t, 1, &loses_its_worker_in_a_nested_batch<C>, b.get(), 0);
        auto again = make_errand(t, 10);
        t.runtime.run(10, &offloads<C>, again.get(), policy{});
        EXPECT_EQ(again->ended.load(), 10U);
    }
}

inline void computes_elsewhere(void*) { burn_20_ms(); }

template <class C>
typename C::task offloads_computing(C& ctx, const void*, std::size_t) {
    co_await ctx.offload(&computes_elsewhere, nullptr);
}

CONTRACT(the_cpu_time_of_executor_processes_is_counted, verb::offload) {
    if constexpr (has_workers<R>) {
        const usage before = t.runtime.workers_used();
        t.runtime.run(4, &offloads_computing<C>, nullptr, policy{});
        const usage then = t.runtime.workers_used();
        EXPECT_GE(then.user_ns + then.system_ns, before.user_ns + before.system_ns + 60'000'000);
        EXPECT_FALSE(t.runtime.worker_ids().empty());
    } else {
        GTEST_SKIP() << "the executor has no processes";
    }
}

}  // namespace crossover::contract_test

// Runtimes whose items run in processes of their own: a worker may die at any point, and its CPU time counts.
#pragma once

#include <sys/types.h>

#include <csignal>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

// An executor's processes run no items: offloading.hpp kills those.
template <class R>
inline constexpr bool items_run_in_workers = has_workers<R>&& R::family == "processes";

// As CONTRACT, for such runtimes.
#define CONTRACT_OF_WORKERS(sentence)                                                            \
    template <class R, class C>                                                                  \
    void sentence(contract<R>& t);                                                               \
    TYPED_TEST(contract, sentence) {                                                             \
        if constexpr (items_run_in_workers<TypeParam>)                                           \
            ::crossover::contract_test::sentence<TypeParam, typename TypeParam::context>(*this); \
        else                                                                                     \
            GTEST_SKIP() << "has no processes that run items";                                   \
    }                                                                                            \
    template <class R, class C>                                                                  \
    void sentence(contract<R>& t)

template <class C>
typename C::task third_item_dies(C&, const void* batch, std::size_t i) {
    on<board>(batch).started.fetch_add(1);
    if (i == 3) ::raise(SIGKILL);
    return {};
}

template <class R>
void expect_death(contract<R>& t, std::size_t n, job<typename R::context> each, const void* batch,
                  policy rules, std::size_t item) {
    stopwatch clock;
    try {
        t.runtime.run(n, each, batch, rules);
        ADD_FAILURE() << "the death went unnoticed";
    } catch (const worker_died& e) {
        EXPECT_EQ(e.index(), item);
        EXPECT_EQ(e.signal(), SIGKILL);
        EXPECT_NE(std::string(e.what()).find("item " + std::to_string(item)), std::string::npos);
        EXPECT_NE(std::string(e.what()).find("signal 9"), std::string::npos);
    }
    EXPECT_LT(clock.elapsed(), soon);
    t.expect_usable();
}

CONTRACT_OF_WORKERS(a_worker_that_dies_is_named_with_item_and_signal) {
    for (int round = 0; round < 3; ++round) {
        auto b = t.template make<board>();
        expect_death(t, 10, &third_item_dies<C>, b.get(), policy{}, 3);
        expect_death(t, 10, &third_item_dies<C>, b.get(), policy(2, until::first_error), 3);
    }
}

template <class C>
typename C::task dies_last(C&, const void* batch, std::size_t i) {
    if (i == 999) ::raise(SIGKILL);
    on<board>(batch).started.fetch_add(1);
    return {};
}

CONTRACT_OF_WORKERS(a_worker_that_dies_at_the_very_end_of_a_batch_is_noticed) {
    auto b = t.template make<board>();
    expect_death(t, 1'000, &dies_last<C>, b.get(), policy(64), 999);
}

template <class C>
typename C::task dies_beside_sleepers(C& ctx, const void* batch, std::size_t i) {
    if (i != 0) {
        on<board>(batch).started.fetch_add(1);
        co_await ctx.sleep_for(far);
    }
    while (on<board>(batch).started.load() == 0) co_await ctx.sleep_for(1ms);
    ::raise(SIGKILL);
}

CONTRACT_OF_WORKERS(the_death_of_a_worker_stops_its_siblings_whatever_the_stop_rule) {
    if (t.runtime.guaranteed_concurrency() < 2) GTEST_SKIP() << "one at a time";
    for (until rule : {until::all_done, until::first_error, until::first_result}) {
        auto b = t.template make<board>();
        expect_death(t, 2, &dies_beside_sleepers<C>, b.get(), policy(unlimited, rule), 0);
    }
}

CONTRACT_OF_WORKERS(a_worker_killed_between_two_batches_does_no_harm_for_long) {
    auto b = t.template make<board>();
    t.runtime.run(10, &contract<R>::template note_start<C>, b.get(), policy{});
    std::span<const int> ids = t.runtime.worker_ids();
    if (ids.empty()) GTEST_SKIP() << "no worker outlives its batch";
    ASSERT_GT(ids.front(), 1) << "kill() would reach more than a worker";
    ASSERT_EQ(::kill(static_cast<pid_t>(ids.front()), SIGKILL), 0);
    try {
        t.runtime.run(10, &contract<R>::template note_start<C>, b.get(), policy{});
    } catch (const worker_died& e) {
        EXPECT_EQ(e.signal(), SIGKILL);
    }
    t.expect_usable();
}

template <class C>
typename C::task burns_20_ms(C&, const void*, std::size_t) {
    burn_20_ms();
    return {};
}

CONTRACT_OF_WORKERS(the_cpu_time_of_workers_is_counted) {
    usage before = t.runtime.workers_used();
    t.runtime.run(1, &burns_20_ms<C>, nullptr, policy{});
    usage then = t.runtime.workers_used();
    EXPECT_GE(then.user_ns + then.system_ns, before.user_ns + before.system_ns + 15'000'000);
}

}  // namespace crossover::contract_test

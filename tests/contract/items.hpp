// Every item runs exactly once, at most policy.in_flight at a time, and caller and items see what the other
// wrote.
#pragma once

#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

struct tally : board {
    std::span<std::atomic<std::uint32_t>> runs;
    std::span<std::uint64_t> written;  // plain memory on purpose: run() itself must order it
    std::uint64_t offset = 0;
};

template <class R>
auto make_tally(contract<R>& t, std::size_t n) {
    auto b = t.template make<tally>();
    b->runs = t.memory.template make_array<std::atomic<std::uint32_t>>(n);
    b->written = t.memory.template make_array<std::uint64_t>(n);
    return b;
}

inline void expect_each_once(const tally& b) {
    std::size_t wrong = 0;
    for (const auto& count : b.runs) wrong += count.load() != 1;
    EXPECT_EQ(wrong, 0U) << "of " << b.runs.size() << " items did not run exactly once";
}

template <class C>
typename C::task plain_item(C&, const void* batch, std::size_t i) {
    auto& b = on<tally>(batch);
    b.runs[i].fetch_add(1);
    b.written[i] = b.offset + i;
    return {};
}

template <class C>
typename C::task coroutine_item(C&, const void* batch, std::size_t i) {
    auto& b = on<tally>(batch);
    inside here(b.frames);
    b.runs[i].fetch_add(1);
    b.written[i] = b.offset + i;
    co_return;
}

CONTRACT(every_index_runs_exactly_once) {
    for (std::size_t n : {0, 1, 2, 3, 7, 64, 1'000}) {
        auto plain = make_tally(t, n);
        t.runtime.run(n, &plain_item<C>, plain.get(), policy{});
        expect_each_once(*plain);
        auto coroutine = make_tally(t, n);
        t.runtime.run(n, &coroutine_item<C>, coroutine.get(), policy{});
        expect_each_once(*coroutine);
    }
}

CONTRACT(thousands_of_items_run_exactly_once) {
    for (std::size_t n = 1'000; n <= 100'000; n *= 10) {
        stopwatch clock;
        auto coroutine = make_tally(t, n);
        t.runtime.run(n, &coroutine_item<C>, coroutine.get(), policy(64));
        expect_each_once(*coroutine);
        auto plain = make_tally(t, n);
        t.runtime.run(n, &plain_item<C>, plain.get(), policy(64));
        expect_each_once(*plain);
        if (n < 100'000 && clock.elapsed() > 1s) GTEST_SKIP() << "more than " << n << " would take too long";
    }
}

CONTRACT(caller_and_items_see_what_the_other_wrote) {
    for (std::uint64_t round = 1; round <= 20; ++round) {
        auto b = make_tally(t, 100);
        b->offset = round * 1'000;
        t.runtime.run(100, &plain_item<C>, b.get(), policy{});
        for (std::size_t i = 0; i < 100; ++i) ASSERT_EQ(b->written[i], round * 1'000 + i);
    }
}

CONTRACT(a_runtime_runs_one_batch_after_the_other) {
    for (std::size_t round = 0; round < 500; ++round) {
        auto b = make_tally(t, round % 9);
        t.runtime.run(round % 9, round % 2 == 0 ? &plain_item<C> : &coroutine_item<C>, b.get(),
                      policy(1 + round % 5));
        expect_each_once(*b);
    }
}

CONTRACT(one_core_is_enough) {
    arena memory;
    R small(options{1, &memory});
    EXPECT_GE(small.guaranteed_concurrency(), 1U);
    auto b = make_tally(t, 100);
    small.run(100, &coroutine_item<C>, b.get(), policy{});
    expect_each_once(*b);
}

struct crowd_board : board {
    std::uint32_t stay_ms = 0;
};

template <class C>
typename C::task crowd_item(C& ctx, const void* batch, std::size_t) {
    auto& b = on<crowd_board>(batch);
    inside here(b.frames);
    if constexpr (can_sleep<C>) co_await ctx.sleep_for(std::chrono::milliseconds(b.stay_ms));
    co_return;
}

CONTRACT(no_more_items_are_alive_than_the_policy_allows) {
    for (std::size_t in_flight : {1, 2, 3, 7}) {
        const int expected = can_sleep<C> ? static_cast<int>(t.together(in_flight)) : 0;
        int peak = -1;
        // The machine may hold workers up, or be slow to start them, for as long as the others stay.
        for (std::uint32_t attempt = 0; attempt < 10 && peak < expected; ++attempt) {
            auto b = t.template make<crowd_board>();
            b->stay_ms = 5U << std::min(attempt, 5U);
            t.runtime.run(40, &crowd_item<C>, b.get(), policy(in_flight));
            EXPECT_LE(b->frames.peak(), static_cast<int>(in_flight));
            peak = std::max(peak, b->frames.peak());
        }
        EXPECT_GE(peak, expected);
    }
}

// --- async<T>: helper coroutines ---

template <class C>
struct helpers {
    template <class T>
    using async = typename C::template async<T>;

    static async<std::uint64_t> doubled(C&, gauge& frames, std::uint64_t x) {
        inside here(frames);
        co_return 2 * x;
    }

    static async<std::uint64_t> plus_one(C& ctx, gauge& frames, std::uint64_t x) {
        inside here(frames);
        std::uint64_t twice = co_await doubled(ctx, frames, x);
        co_return twice + 1;
    }

    static async<std::string> text(C&, gauge& frames) {
        inside here(frames);
        co_return std::string(100, 'x');
    }

    static async<void> fails(C&, gauge& frames) {
        inside here(frames);
        throw std::invalid_argument("from the helper");
        co_return;
    }

    static async<std::uint64_t> fails_deeper(C& ctx, gauge& frames) {
        inside here(frames);
        co_await fails(ctx, frames);
        co_return 0;
    }
};

template <class C>
typename C::task helped_item(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<tally>(batch);
    inside here(b.frames);
    std::uint64_t value = co_await helpers<C>::plus_one(ctx, b.frames, i);
    b.written[i] = value;
    std::string text = co_await helpers<C>::text(ctx, b.frames);
    if (text.size() == 100) b.ended.fetch_add(1);
    try {
        co_await helpers<C>::fails_deeper(ctx, b.frames);
    } catch (const std::invalid_argument& e) {
        if (e.what() == std::string_view("from the helper")) b.runs[i].fetch_add(1);
    }
    { auto never_awaited = helpers<C>::doubled(ctx, b.frames, i); }
}

CONTRACT(helper_coroutines_give_values_and_exceptions) {
    auto b = make_tally(t, 100);
    t.runtime.run(100, &helped_item<C>, b.get(), policy(8));
    expect_each_once(*b);
    EXPECT_EQ(b->ended.load(), 100U);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(b->written[i], 2 * i + 1);
}

}  // namespace crossover::contract_test

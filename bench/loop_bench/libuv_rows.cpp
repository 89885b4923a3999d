// The rows of libuv, which has timers and wake-ups but no coroutines.
#include <uv.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "bench/loop_bench/rows.hpp"

namespace crossover::loop_bench {
namespace {

using benchmark::State;

void close_all(uv_loop_t& l) {
    uv_walk(
        &l,
        [](uv_handle_t* h, void*) {
            if (!uv_is_closing(h)) uv_close(h, nullptr);
        },
        nullptr);
    uv_run(&l, UV_RUN_DEFAULT);
    uv_loop_close(&l);
}

void timers(State& s) {
    constexpr int live = 10'000;
    uv_loop_t l;
    uv_loop_init(&l);
    std::mt19937 random(1);
    std::vector<std::uint64_t> delays;
    for (int i = 0; i < live; ++i) delays.push_back(3'600'000 + random() % 100'000);
    std::vector<uv_timer_t> waiting(live);
    for (uv_timer_t& t : waiting) uv_timer_init(&l, &t);
    for (std::size_t i = 0; i < live; ++i)
        uv_timer_start(
            &waiting[i], [](uv_timer_t*) {}, delays[i], 0);
    std::size_t at = 0;
    for (auto _ : s) {
        at = (at + 4'999) % live;
        uv_timer_stop(&waiting[at]);
        uv_timer_start(
            &waiting[at], [](uv_timer_t*) {}, delays[(at + 1) % live], 0);
    }
    close_all(l);
}

struct wakes {
    static constexpr int n = 2'000;
    std::atomic<int> made{0};
};

void wake_from_thread(State& s) {
    while (s.KeepRunningBatch(wakes::n)) {
        wakes w;
        uv_loop_t l;
        uv_loop_init(&l);
        uv_async_t call;
        call.data = &w;
        uv_async_init(&l, &call, [](uv_async_t* a) {
            auto& seen = static_cast<wakes*>(a->data)->made;
            if (seen.fetch_add(1) + 1 == wakes::n) uv_close(reinterpret_cast<uv_handle_t*>(a), nullptr);
            seen.notify_one();
        });
        std::thread caller([&] {
            for (int i = 0; i < wakes::n; ++i) {
                uv_async_send(&call);
                w.made.wait(i);
            }
        });
        uv_run(&l, UV_RUN_DEFAULT);
        caller.join();
        close_all(l);
    }
}

}  // namespace

void add_libuv_rows() {
    // Its timers count in milliseconds from the time of the iteration, so that setting one reads no clock.
    add_row("timer_call_at_cancel/live:10000", "libuv", &timers);
    add_row("cross_thread_wake", "libuv", &wake_from_thread);
}

}  // namespace crossover::loop_bench

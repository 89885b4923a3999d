// The rows of our event loop.
#include <array>
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "bench/loop_bench/fresh_process.hpp"
#include "bench/loop_bench/rows.hpp"
#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/loop/io_uring.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tasks/nothrow_cancel.hpp"

namespace crossover::loop_bench {
namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using benchmark::State;

constexpr int batch = 100'000;

coro<int> trivial() { co_return 1; }

coro<> create_and_await(int n) {
    int sum = 0;
    for (int i = 0; i < n; ++i) {
        const task<int> t = create_task(trivial());
        sum += co_await t;
    }
    benchmark::DoNotOptimize(sum);
}

coro<> await_children(int n) {
    int sum = 0;
    for (int i = 0; i < n; ++i) sum += co_await trivial();
    benchmark::DoNotOptimize(sum);
}

coro<> give_way(int n) {
    for (int i = 0; i < n; ++i) co_await sleep(0ns);
}

coro<> give_way_together(int n, int tasks) {
    std::vector<task<>> all;
    all.reserve(static_cast<std::size_t>(tasks));
    for (int i = 0; i < tasks; ++i) all.push_back(create_task(give_way(n / tasks)));
    for (const task<>& t : all) co_await t;
}

coro<> produce(queue<int>& q, int n) {
    for (int i = 0; i < n; ++i) co_await q.put(i);
}

coro<> hop(int n, std::size_t capacity) {
    queue<int> q(capacity);
    const task<> producer = create_task(produce(q, n));
    int sum = 0;
    for (int i = 0; i < n; ++i) sum += co_await q.get();
    benchmark::DoNotOptimize(sum);
    co_await producer;
}

coro<> lock_and_release(int n) {
    lock l;
    for (int i = 0; i < n; ++i) {
        co_await l.acquire();
        l.release();
    }
}

constexpr int children = 100;

coro<> gather_children(int n) {
    for (int done = 0; done < n; done += children) {
        std::vector<coro<int>> all;
        all.reserve(children);
        for (int i = 0; i < children; ++i) all.push_back(trivial());
        const std::vector<int> results = co_await gather(std::move(all));
        benchmark::DoNotOptimize(results.data());
    }
}

// A coroutine of its own, because a million of them are alive at once: in the frame of a node lies the room
// for ten children.
coro<std::int64_t> skynet_leaf(std::int64_t number) { co_return number; }

// Ten children each, as tasks; awaited after all of them have been created.
coro<std::int64_t> skynet(std::int64_t first, std::int64_t size) {
    const std::int64_t each = size / 10;
    std::array<task<std::int64_t>, 10> parts;
    for (int i = 0; i < 10; ++i)
        parts[static_cast<std::size_t>(i)] =
            create_task(each == 1 ? skynet_leaf(first + i) : skynet(first + i * each, each));
    std::int64_t sum = 0;
    for (const auto& part : parts) sum += co_await part;
    co_return sum;
}

coro<std::int64_t> eager_skynet(std::int64_t first, std::int64_t size) {
    const std::int64_t each = size / 10;
    std::array<task<std::int64_t>, 10> parts;
    for (int i = 0; i < 10; ++i)
        parts[static_cast<std::size_t>(i)] =
            create_eager_task(each == 1 ? skynet_leaf(first + i) : eager_skynet(first + i * each, each));
    std::int64_t sum = 0;
    for (const auto& part : parts) sum += co_await part;
    co_return sum;
}

coro<> wait_below(int depth) {
    if (depth == 0)
        co_await sleep(1h);
    else
        co_await wait_below(depth - 1);
}

coro<> wait_below(nothrow_cancel_t, int depth) {
    if (depth == 0)
        co_await sleep(1h);
    else
        co_await wait_below(nothrow_cancel, depth - 1);
}

// Made, put to sleep below five coroutines, cancelled and joined.
constexpr int cancel_batch = 1'000;

template <class Make>
coro<> cancel_all(Make make) {
    std::vector<task<>> all;
    all.reserve(cancel_batch);
    for (int i = 0; i < cancel_batch; ++i) all.push_back(create_task(make()));
    co_await sleep(0ns);
    for (const task<>& t : all) t.cancel();
    for (const task<>& t : all) co_await until_done(t);
}

template <class Make>
void add_batches(const std::string& operation, Make make) {
    add_row(operation, "event_loop", [make](State& s) {
        while (s.KeepRunningBatch(batch)) run(make());
    });
}

// One of the live timers is replaced by another, each time elsewhere in the heap.
void timers(State& s, bool by_delay) {
    constexpr int live = 10'000;
    loop l;
    std::mt19937 random(1);
    std::vector<std::chrono::nanoseconds> delays;
    delays.reserve(live);
    for (int i = 0; i < live; ++i) delays.push_back(1h + std::chrono::microseconds(random() % 100'000'000));
    const time_point now = loop::time();
    std::vector<timer_handle> waiting;
    waiting.reserve(live);
    for (const auto delay : delays) waiting.push_back(l.call_at(now + delay, [] {}));
    std::size_t at = 0;
    for (auto _ : s) {
        at = (at + 4'999) % live;
        const auto delay = delays[(at + 1) % live];
        waiting[at].cancel();
        waiting[at] = by_delay ? l.call_later(delay, [] {}) : l.call_at(now + delay, [] {});
    }
}

// Each call finds the loop asleep: the other thread waits until the last one has been made.
void wake_from_thread(State& s) {
    constexpr int n = 2'000;
    while (s.KeepRunningBatch(n)) {
        loop l;
        std::atomic<int> made{0};
        std::thread caller([&] {
            for (int i = 0; i < n; ++i) {
                l.call_soon_threadsafe([&made] {
                    made.fetch_add(1);
                    made.notify_one();
                });
                made.wait(i);
            }
            l.call_soon_threadsafe([&l] { l.stop(); });
        });
        l.run_forever();
        caller.join();
    }
}

// Not written into the await, where it would lie in each of a million frames.
constexpr std::chrono::seconds nap(3);
coro<> sleep_once() { co_await sleep(nap); }

coro<> sleep_all(std::uint64_t n, sleepers_cost* cost) {
    std::vector<task<>> all;
    const std::uint64_t before = own_resident_bytes();
    all.reserve(n);
    for (std::uint64_t i = 0; i < n; ++i) all.push_back(create_task(sleep_once()));
    co_await sleep(0ns);
    co_await sleep(0ns);
    cost->resident_bytes = own_resident_bytes() - before;
    for (const task<>& t : all) {
        if (t.done()) continue;
        co_await t;
    }
}

coro<> echo(asyncio::socket client) {
    std::array<std::byte, 4096> buffer;
    for (;;) {
        const std::size_t n = co_await sock_recv(client, buffer);
        if (n == 0) co_return;
        co_await sock_sendall(client, std::span<const std::byte>(buffer.data(), n));
    }
}

coro<> accept_all(int listener) {
    asyncio::socket s(listener);
    for (;;) {
        asyncio::socket client = co_await sock_accept(s);
        static_cast<void>(create_task(echo(std::move(client))));
    }
}

}  // namespace

sleepers_cost event_loop_sleepers(std::uint64_t n) {
    sleepers_cost cost;
    cost.tasks = n;
    const auto before = own_cpu_time();
    run(sleep_all(n, &cost));
    cost.cpu = own_cpu_time() - before;
    return cost;
}

void serve_by_event_loop(bool on_io_uring) {
    loop_options options;
    if (on_io_uring) options.back_end = &make_io_uring_reactor;
    const loopback_listener listener;
    listener.print_port();
    run(accept_all(listener.fd()), options);
    std::exit(0);
}

void add_event_loop_rows() {
    add_batches("create_task_await", [] { return create_and_await(batch); });
    add_batches("sleep_0/tasks:1", [] { return give_way(batch); });
    add_batches("sleep_0/tasks:100", [] { return give_way_together(batch, 100); });
    add_batches("child_await", [] { return await_children(batch); });
    add_batches("queue_hop/places:1", [] { return hop(batch, 1); });
    add_batches("queue_hop/places:127", [] { return hop(batch, 127); });
    add_batches("lock_release", [] { return lock_and_release(batch); });
    add_batches("gather_child", [] { return gather_children(batch); });
    add_row("cancel_chain/depth:5", "event_loop", [](State& s) {
        while (s.KeepRunningBatch(cancel_batch)) run(cancel_all([] { return wait_below(5); }));
    });
    add_row("cancel_chain/depth:5", "event_loop_nothrow", [](State& s) {
        while (s.KeepRunningBatch(cancel_batch))
            run(cancel_all([] { return wait_below(nothrow_cancel, 5); }));
    });
    add_row("timer_call_later_cancel/live:10000", "event_loop", [](State& s) { timers(s, true); });
    add_row("timer_call_at_cancel/live:10000", "event_loop", [](State& s) { timers(s, false); });
    add_row("cross_thread_wake", "event_loop", &wake_from_thread);

    constexpr int tasks = 1'111'111;
    constexpr std::int64_t leaves = 1'000'000;
    const auto check = [](State& s, std::int64_t sum) {
        if (sum != leaves * (leaves - 1) / 2) s.SkipWithError("skynet: wrong sum");
    };
    add_row("skynet_task", "event_loop", [check](State& s) {
        while (s.KeepRunningBatch(tasks)) check(s, run(skynet(0, leaves)));
    });
    add_row("skynet_task", "event_loop_eager", [check](State& s) {
        while (s.KeepRunningBatch(tasks)) check(s, run(eager_skynet(0, leaves)));
    });
}

}  // namespace crossover::loop_bench

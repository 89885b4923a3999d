// The rows of Boost.Asio's awaitables: one io_context, one thread, its own executor type throughout, because
// the type-erased one costs more at each step.
// clang-format off
#include <utility>  // first: awaitable.hpp of Boost 1.74 lacks it
// clang-format on

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "bench/loop_bench/fresh_process.hpp"
#include "bench/loop_bench/rows.hpp"

namespace crossover::loop_bench {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using benchmark::State;
using executor = net::io_context::executor_type;
template <class T>
using awaitable = net::awaitable<T, executor>;
constexpr net::use_awaitable_t<executor> use_awaitable;
using timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                        net::wait_traits<std::chrono::steady_clock>, executor>;
using tcp_socket = net::basic_stream_socket<net::ip::tcp, executor>;

constexpr int batch = 100'000;

awaitable<int> trivial() { co_return 1; }

awaitable<void> spawn_and_await(executor on, int n) {
    int sum = 0;
    for (int i = 0; i < n; ++i) sum += co_await net::co_spawn(on, trivial(), use_awaitable);
    benchmark::DoNotOptimize(sum);
}

awaitable<void> await_children(int n) {
    int sum = 0;
    for (int i = 0; i < n; ++i) sum += co_await trivial();
    benchmark::DoNotOptimize(sum);
}

awaitable<void> give_way(executor on, int n) {
    for (int i = 0; i < n; ++i) co_await net::post(on, use_awaitable);
}

template <class Spawn>
void add_batches(const std::string& operation, Spawn spawn) {
    add_row(operation, "asio", [spawn](State& s) {
        while (s.KeepRunningBatch(batch)) {
            net::io_context context(1);
            spawn(context);
            context.run();
        }
    });
}

void timers(State& s, bool by_delay) {
    constexpr int live = 10'000;
    net::io_context context(1);
    std::mt19937 random(1);
    std::vector<std::chrono::nanoseconds> delays;
    for (int i = 0; i < live; ++i) delays.push_back(1h + std::chrono::microseconds(random() % 100'000'000));
    const auto now = std::chrono::steady_clock::now();
    std::vector<timer> waiting;
    waiting.reserve(live);
    for (const auto delay : delays) {
        waiting.emplace_back(context.get_executor(), now + delay);
        waiting.back().async_wait([](const boost::system::error_code&) {});
    }
    std::size_t at = 0;
    for (auto _ : s) {
        at = (at + 4'999) % live;
        const auto delay = delays[(at + 1) % live];
        timer& t = waiting[at];
        t.cancel();
        if (by_delay)
            t.expires_after(delay);
        else
            t.expires_at(now + delay);
        t.async_wait([](const boost::system::error_code&) {});
        context.poll_one();  // the cancelled wait calls its handler
    }
}

void wake_from_thread(State& s) {
    constexpr int n = 2'000;
    while (s.KeepRunningBatch(n)) {
        net::io_context context(1);
        auto work = net::make_work_guard(context);
        std::atomic<int> made{0};
        std::thread caller([&] {
            for (int i = 0; i < n; ++i) {
                net::post(context, [&made] {
                    made.fetch_add(1);
                    made.notify_one();
                });
                made.wait(i);
            }
            net::post(context, [&work] { work.reset(); });
        });
        context.run();
        caller.join();
    }
}

struct group {
    explicit group(executor on) : done(on, std::chrono::steady_clock::time_point::max()) {}
    timer done;
    std::int64_t sum = 0;
    int left = 10;
};

awaitable<std::int64_t> skynet(executor on, std::int64_t first, std::int64_t size) {
    if (size == 1) co_return first;
    group parts(on);
    for (int i = 0; i < 10; ++i) {
        net::co_spawn(on, skynet(on, first + i * (size / 10), size / 10),
                      [&parts](std::exception_ptr, std::int64_t sum) {
                          parts.sum += sum;
                          if (--parts.left == 0) parts.done.cancel();
                      });
    }
    boost::system::error_code cancelled;
    co_await parts.done.async_wait(net::redirect_error(use_awaitable, cancelled));
    co_return parts.sum;
}

awaitable<void> sleep_once(executor on, std::chrono::nanoseconds delay) {
    timer t(on, delay);
    co_await t.async_wait(use_awaitable);
}

awaitable<void> echo(tcp_socket client) {
    std::array<char, 4096> buffer;
    boost::system::error_code error;
    for (;;) {
        const std::size_t n =
            co_await client.async_read_some(net::buffer(buffer), net::redirect_error(use_awaitable, error));
        if (error) co_return;
        co_await net::async_write(client, net::buffer(buffer, n), use_awaitable);
    }
}

awaitable<void> accept_all(executor on, int listener) {
    net::basic_socket_acceptor<net::ip::tcp, executor> acceptor(on, net::ip::tcp::v4(), listener);
    for (;;) {
        tcp_socket client = co_await acceptor.async_accept(use_awaitable);
        net::co_spawn(on, echo(std::move(client)), net::detached);
    }
}

}  // namespace

sleepers_cost asio_sleepers(std::uint64_t n) {
    sleepers_cost cost;
    cost.tasks = n;
    const auto cpu = own_cpu_time();
    const std::uint64_t before = own_resident_bytes();
    net::io_context context(1);
    std::uint64_t left = n;
    for (std::uint64_t i = 0; i < n; ++i)
        net::co_spawn(context, sleep_once(context.get_executor(), 20s),
                      [&left](const std::exception_ptr&) { --left; });
    // All have begun when this, posted last, is called.
    net::post(context, [&] { cost.resident_bytes = own_resident_bytes() - before; });
    context.run();
    cost.cpu = own_cpu_time() - cpu;
    if (left != 0) cost.tasks = 0;
    return cost;
}

void serve_by_asio() {
    net::io_context context(1);
    const loopback_listener listener;
    listener.print_port();
    net::co_spawn(context, accept_all(context.get_executor(), listener.fd()), net::detached);
    context.run();
    std::exit(0);
}

void add_asio_rows() {
    add_batches("create_task_await", [](net::io_context& c) {
        net::co_spawn(c, spawn_and_await(c.get_executor(), batch), net::detached);
    });
    add_batches("sleep_0/tasks:1", [](net::io_context& c) {
        net::co_spawn(c, give_way(c.get_executor(), batch), net::detached);
    });
    add_batches("sleep_0/tasks:100", [](net::io_context& c) {
        for (int i = 0; i < 100; ++i)
            net::co_spawn(c, give_way(c.get_executor(), batch / 100), net::detached);
    });
    add_batches("child_await",
                [](net::io_context& c) { net::co_spawn(c, await_children(batch), net::detached); });
    add_row("timer_call_later_cancel/live:10000", "asio", [](State& s) { timers(s, true); });
    add_row("timer_call_at_cancel/live:10000", "asio", [](State& s) { timers(s, false); });
    add_row("cross_thread_wake", "asio", &wake_from_thread);

    constexpr std::int64_t leaves = 1'000'000;
    add_row("skynet_task", "asio", [](State& s) {
        while (s.KeepRunningBatch(1'111'111)) {
            net::io_context context(1);
            std::int64_t total = 0;
            net::co_spawn(context, skynet(context.get_executor(), 0, leaves),
                          [&total](const std::exception_ptr&, std::int64_t sum) { total = sum; });
            context.run();
            if (total != leaves * (leaves - 1) / 2) s.SkipWithError("skynet: wrong sum");
        }
    });
}

}  // namespace crossover::loop_bench

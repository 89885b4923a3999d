// The native twins on the event loop's own interface.
#include <chrono>

#include "bench/native/twin_cell_of.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "workloads/cpu/skynet.hpp"
#include "workloads/cpu/sum_squares.hpp"
#include "workloads/io/sleepers.hpp"

namespace crossover::bench::native {
namespace {

// --- sleepers: a task per sleeper, all awaited.

asyncio::coro<> sleeper(std::chrono::microseconds delay, std::size_t i, sleepers::output& out) {
    co_await asyncio::sleep(delay);
    out.woken = i;
}

asyncio::coro<> all_sleepers(std::chrono::microseconds delay, std::span<sleepers::output> out) {
    std::vector<asyncio::task<>> tasks;
    tasks.reserve(out.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        tasks.push_back(asyncio::create_task(sleeper(delay, i, out[i])));
    for (asyncio::task<>& one : tasks) co_await one;
}

class loop_sleepers {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    loop_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us) {}

    static resource_use resources(std::size_t) { return {}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= p.tasks; }

    void run(std::span<sleepers::output> out) { runner_.run(all_sleepers(delay_, out)); }

  private:
    std::chrono::microseconds delay_;
    asyncio::runner runner_;
};

const registered<sleepers, loop_sleepers> sleepers_twin("event_loop");

// --- skynet: ten tasks for every inner node, all awaited.

asyncio::coro<std::uint64_t> sum_of(std::uint64_t first, std::uint64_t leaves) {
    if (leaves == 1) co_return first;
    const std::uint64_t each = leaves / 10;
    std::vector<asyncio::task<std::uint64_t>> children;
    children.reserve(10);
    for (std::uint64_t i = 0; i < 10; ++i)
        children.push_back(asyncio::create_task(sum_of(first + i * each, each)));
    std::uint64_t sum = 0;
    for (asyncio::task<std::uint64_t>& child : children) {
        const std::uint64_t part = co_await child;
        sum += part;
    }
    co_return sum;
}

class loop_skynet {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    loop_skynet(const skynet::params& p, const setting&) : leaves_(p.leaves) {}

    static resource_use resources(std::size_t) { return {}; }

    void run(std::span<skynet::output> out) { out[0].sum = runner_.run(sum_of(0, leaves_)); }

  private:
    std::uint64_t leaves_;
    asyncio::runner runner_;
};

const registered<skynet, loop_skynet> skynet_twin("event_loop");

// --- sum_squares: a task per sum, all awaited.

asyncio::coro<> sum(std::uint64_t n, sum_squares::output& out) {
    out.sum = kernels::sum_of_squares(n);
    co_return;
}

asyncio::coro<> all_sums(std::uint64_t n, std::span<sum_squares::output> out) {
    std::vector<asyncio::task<>> tasks;
    tasks.reserve(out.size());
    for (sum_squares::output& one : out) tasks.push_back(asyncio::create_task(sum(n, one)));
    for (asyncio::task<>& one : tasks) co_await one;
}

class loop_sum_squares {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    loop_sum_squares(const sum_squares::params& p, const setting&) : n_(p.n) {}

    static resource_use resources(std::size_t) { return {}; }

    void run(std::span<sum_squares::output> out) { runner_.run(all_sums(n_, out)); }

  private:
    std::uint64_t n_;
    asyncio::runner runner_;
};

const registered<sum_squares, loop_sum_squares> sum_squares_twin("event_loop");

}  // namespace
}  // namespace crossover::bench::native

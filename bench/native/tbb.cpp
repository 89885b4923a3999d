// The native twins on oneTBB.
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_group.h>

#include <numeric>

#include "bench/native/twin_cell_of.hpp"
#include "workloads/cpu/fib.hpp"
#include "workloads/cpu/skynet.hpp"
#include "workloads/cpu/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

// --- skynet: ten tasks in a task_group for every inner node.

std::uint64_t sum_of(std::uint64_t first, std::uint64_t leaves) {
    if (leaves == 1) return first;
    std::uint64_t sums[10];
    const std::uint64_t each = leaves / 10;
    tbb::task_group group;
    for (std::uint64_t i = 0; i < 10; ++i)
        group.run([&sums, first, each, i] { sums[i] = sum_of(first + i * each, each); });
    group.wait();
    return std::accumulate(sums, sums + 10, std::uint64_t{0});
}

class tbb_skynet {
  public:
    tbb_skynet(const skynet::params& p, const setting& with)
        : leaves_(p.leaves), most_threads_(tbb::global_control::max_allowed_parallelism, with.cores) {}

    static resource_use resources(std::size_t cores) { return {cores, 1, 0}; }

    void run(std::span<skynet::output> out) { out[0].sum = sum_of(0, leaves_); }

  private:
    std::uint64_t leaves_;
    tbb::global_control most_threads_;
};

const registered<skynet, tbb_skynet> skynet_twin("tbb_tasks");

// --- fib: two tasks in a task_group for every call, as in oneTBB's own example.

std::uint64_t number(std::uint64_t n) {
    if (n < 2) return n;
    std::uint64_t a, b;
    tbb::task_group group;
    group.run([&, n] { a = number(n - 1); });
    group.run_and_wait([&, n] { b = number(n - 2); });
    return a + b;
}

class tbb_fib {
  public:
    tbb_fib(const fib::params& p, const setting& with)
        : n_(p.n), most_threads_(tbb::global_control::max_allowed_parallelism, with.cores) {}

    static resource_use resources(std::size_t cores) { return {cores, 1, 0}; }

    void run(std::span<fib::output> out) { out[0].value = number(n_); }

  private:
    std::uint64_t n_;
    tbb::global_control most_threads_;
};

const registered<fib, tbb_fib> fib_twin("tbb_tasks");

// --- sum_squares: a task per sum in a task_group.

class tbb_sum_squares {
  public:
    tbb_sum_squares(const sum_squares::params& p, const setting& with)
        : n_(p.n), most_threads_(tbb::global_control::max_allowed_parallelism, with.cores) {}

    static resource_use resources(std::size_t cores) { return {cores, 1, 0}; }

    void run(std::span<sum_squares::output> out) {
        tbb::task_group group;
        for (sum_squares::output& one : out)
            group.run([&one, n = n_] { one.sum = kernels::sum_of_squares(n); });
        group.wait();
    }

  private:
    std::uint64_t n_;
    tbb::global_control most_threads_;
};

const registered<sum_squares, tbb_sum_squares> sum_squares_twin("tbb_tasks");

// Why oneTBB has no native twin of what waits.
const no_twin<sleepers> no_sleepers(
    "tbb_tasks", "oneTBB has no timers and no sockets: a task that waits blocks its thread");

}  // namespace
}  // namespace crossover::bench::native

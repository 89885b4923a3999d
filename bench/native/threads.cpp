// The native twins on std::thread.
#include <chrono>
#include <thread>

#include "bench/native/flat_pool.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/threads/thread_pool_wide.hpp"
#include "workloads/cpu/sum_squares.hpp"
#include "workloads/io/sleepers.hpp"

namespace crossover::bench::native {
namespace {

// --- sleepers: a pool of as many threads as thread_pool_wide has.

class pool_sleepers {
  public:
    pool_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us), pool_(width) {}

    static resource_use resources(std::size_t) { return {width + 1, 1, stack_bytes_of_threads()}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= std::min(p.tasks, width); }

    void run(std::span<sleepers::output> out) {
        pool_.run(out.size(), [&](std::size_t i) {
            std::this_thread::sleep_for(delay_);
            out[i].woken = i;
        });
    }

  private:
    static constexpr std::uint64_t width = thread_pool_wide::width;

    std::chrono::microseconds delay_;
    flat_pool pool_;
};

const registered<sleepers, pool_sleepers> sleepers_twin("thread_pool_wide");

// --- sum_squares: a pool of as many threads as cores.

class pool_sum_squares {
  public:
    pool_sum_squares(const sum_squares::params& p, const setting& with) : n_(p.n), pool_(with.cores) {}

    static resource_use resources(std::size_t cores) { return {cores + 1, 1, 0}; }

    void run(std::span<sum_squares::output> out) {
        pool_.run(out.size(), [&](std::size_t i) { out[i].sum = kernels::sum_of_squares(n_); });
    }

  private:
    std::uint64_t n_;
    flat_pool pool_;
};

const registered<sum_squares, pool_sum_squares> sum_squares_twin("thread_pool");

// Why threads have no native twin of a tree.
const no_twin<skynet> no_skynet(
    "thread_pool", "std::thread has no tasks that fork and join: one would have to write a scheduler");

}  // namespace
}  // namespace crossover::bench::native

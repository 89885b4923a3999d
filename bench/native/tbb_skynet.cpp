// skynet on oneTBB: ten tasks in a task_group for every inner node.
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_group.h>

#include <numeric>

#include "bench/native/twin_cell_of.hpp"
#include "workloads/skynet.hpp"

namespace crossover::bench::native {
namespace {

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

    static resources held(std::size_t cores) { return {cores, 1, 0}; }
    static bool fits(const skynet::params&) { return true; }

    void run(std::span<skynet::output> out) { out[0].sum = sum_of(0, leaves_); }

  private:
    std::uint64_t leaves_;
    tbb::global_control most_threads_;
};

const registered<skynet, tbb_skynet> here("tbb_tasks");

}  // namespace
}  // namespace crossover::bench::native

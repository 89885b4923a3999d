// The native twins on worker processes.
#include <chrono>
#include <thread>

#include "bench/native/prefork.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "runtimes/processes/process_pool_wide.hpp"
#include "workloads/cpu/sum_squares.hpp"
#include "workloads/io/sleepers.hpp"

namespace crossover::bench::native {
namespace {

// --- sleepers: as many worker processes as process_pool_wide has.

class prefork_sleepers {
  public:
    prefork_sleepers(const sleepers::params& p, const setting&)
        : workers_(width, [delay = std::chrono::microseconds(p.delay_us)](std::size_t i) {
              std::this_thread::sleep_for(delay);
              return i;
          }) {}

    static resource_use resources(std::size_t) { return {width + 1, width + 1, 0}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= std::min(p.tasks, width); }

    std::vector<int> worker_ids() const { return workers_.worker_ids(); }

    void run(std::span<sleepers::output> out) {
        workers_.run(out.size(), [&](std::size_t i, std::uint64_t woken) { out[i].woken = woken; });
    }

  private:
    static constexpr std::uint64_t width = process_pool_wide::width;

    prefork workers_;
};

const registered<sleepers, prefork_sleepers> sleepers_twin("process_pool_wide");

// --- sum_squares: as many worker processes as cores.

class prefork_sum_squares {
  public:
    prefork_sum_squares(const sum_squares::params& p, const setting& with)
        : workers_(with.cores, [n = p.n](std::size_t) { return kernels::sum_of_squares(n); }) {}

    static resource_use resources(std::size_t cores) { return {cores + 1, cores + 1, 0}; }

    std::vector<int> worker_ids() const { return workers_.worker_ids(); }

    void run(std::span<sum_squares::output> out) {
        workers_.run(out.size(), [&](std::size_t i, std::uint64_t sum) { out[i].sum = sum; });
    }

  private:
    prefork workers_;
};

const registered<sum_squares, prefork_sum_squares> sum_squares_twin("process_pool");

// Why worker processes have no native twin of a tree.
const no_twin<skynet> no_skynet(
    "process_pool", "pipes carry no tasks that fork and join: one would have to write a scheduler");

}  // namespace
}  // namespace crossover::bench::native

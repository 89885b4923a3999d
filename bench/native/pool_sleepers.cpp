// sleepers on a pool of as many threads as thread_pool_wide has.
#include <chrono>
#include <thread>

#include "bench/native/flat_pool.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "runtimes/stack_size.hpp"
#include "runtimes/thread_pool_wide.hpp"
#include "workloads/sleepers.hpp"

namespace crossover::bench::native {
namespace {

class pool_sleepers {
  public:
    pool_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us), pool_(width) {}

    static resources held(std::size_t) { return {width + 1, 1, stack_bytes_of_threads()}; }
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

const registered<sleepers, pool_sleepers> here("thread_pool_wide");

}  // namespace
}  // namespace crossover::bench::native

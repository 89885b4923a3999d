// sleepers on as many worker processes as process_pool_wide has.
#include <chrono>
#include <thread>

#include "bench/native/prefork.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "runtimes/process_pool_wide.hpp"
#include "workloads/sleepers.hpp"

namespace crossover::bench::native {
namespace {

class prefork_sleepers {
  public:
    prefork_sleepers(const sleepers::params& p, const setting&)
        : workers_(width, [delay = std::chrono::microseconds(p.delay_us)](std::size_t i) {
              std::this_thread::sleep_for(delay);
              return i;
          }) {}

    static resources held(std::size_t) { return {width + 1, width + 1, 0}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= std::min(p.tasks, width); }

    std::vector<int> worker_ids() const { return workers_.worker_ids(); }

    void run(std::span<sleepers::output> out) {
        workers_.run(out.size(), [&](std::size_t i, std::uint64_t woken) { out[i].woken = woken; });
    }

  private:
    static constexpr std::uint64_t width = process_pool_wide::width;

    prefork workers_;
};

const registered<sleepers, prefork_sleepers> here("process_pool_wide");

}  // namespace
}  // namespace crossover::bench::native

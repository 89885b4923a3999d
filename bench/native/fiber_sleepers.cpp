// sleepers on Boost.Fiber: its own scheduler and timers, start them all, join them all.
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <chrono>

#include "bench/native/fiber_stacks.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sleepers.hpp"

namespace crossover::bench::native {
namespace {

class fiber_sleepers {
  public:
    fiber_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us) {}

    static resources held(std::size_t) { return {1, 1, fiber_stack_bytes}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= p.tasks && p.tasks <= 10'000; }

    void run(std::span<sleepers::output> out) {
        std::vector<boost::fibers::fiber> fibers;
        fibers.reserve(out.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            fibers.emplace_back(std::allocator_arg, fiber_stacks(), [this, out, i] {
                boost::this_fiber::sleep_for(delay_);
                out[i].woken = i;
            });
        for (boost::fibers::fiber& one : fibers) one.join();
    }

  private:
    std::chrono::microseconds delay_;
};

const registered<sleepers, fiber_sleepers> here("fibers");

}  // namespace
}  // namespace crossover::bench::native

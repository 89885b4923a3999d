// skynet on Boost.Fiber: ten fibers for every inner node. As many threads as cores take the children of the
// root.
#include <boost/fiber/fiber.hpp>
#include <numeric>

#include "bench/native/fiber_stacks.hpp"
#include "bench/native/flat_pool.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/skynet.hpp"

namespace crossover::bench::native {
namespace {

using boost::fibers::fiber;

std::uint64_t sum_of(std::uint64_t first, std::uint64_t leaves);

// Entered at once, lest all leaves have a stack together.
fiber summing(std::uint64_t& sum, std::uint64_t first, std::uint64_t leaves) {
    return fiber(boost::fibers::launch::dispatch, std::allocator_arg, fiber_stacks(),
                 [&sum, first, leaves] { sum = sum_of(first, leaves); });
}

std::uint64_t sum_of(std::uint64_t first, std::uint64_t leaves) {
    if (leaves == 1) return first;
    std::uint64_t sums[10];
    fiber children[10];
    const std::uint64_t each = leaves / 10;
    for (std::uint64_t i = 0; i < 10; ++i) children[i] = summing(sums[i], first + i * each, each);
    for (fiber& child : children) child.join();
    return std::accumulate(sums, sums + 10, std::uint64_t{0});
}

class fiber_skynet {
  public:
    fiber_skynet(const skynet::params& p, const setting& with) : leaves_(p.leaves), threads_(with.cores) {}

    static resources held(std::size_t cores) { return {cores + 1, 1, fiber_stack_bytes}; }
    static bool fits(const skynet::params&) { return true; }

    void run(std::span<skynet::output> out) {
        std::uint64_t sums[10];
        const std::uint64_t each = leaves_ / 10;
        threads_.run(10, [&](std::size_t i) { summing(sums[i], i * each, each).join(); });
        out[0].sum = std::accumulate(sums, sums + 10, std::uint64_t{0});
    }

  private:
    std::uint64_t leaves_;
    flat_pool threads_;
};

const registered<skynet, fiber_skynet> here("fibers_multi");

}  // namespace
}  // namespace crossover::bench::native

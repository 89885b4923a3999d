// The native twins on Boost.Fiber.
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <chrono>
#include <cstddef>
#include <numeric>

#include "bench/native/flat_pool.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/cpu/skynet.hpp"
#include "workloads/cpu/sum_squares.hpp"
#include "workloads/io/sleepers.hpp"

namespace crossover::bench::native {
namespace {

using boost::fibers::fiber;

constexpr std::size_t fiber_stack_bytes = 64 * 1024;  // as the suite's fibers have

// The calling thread's. They outlive a sample, as the suite's do.
boost::fibers::pooled_fixedsize_stack& fiber_stacks() {
    static thread_local boost::fibers::pooled_fixedsize_stack stacks(fiber_stack_bytes);
    return stacks;
}

// --- sleepers: its own scheduler and timers, start them all, join them all.

class fiber_sleepers {
  public:
    fiber_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us) {}

    static resource_use resources(std::size_t) { return {1, 1, fiber_stack_bytes}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= p.tasks && p.tasks <= 10'000; }

    void run(std::span<sleepers::output> out) {
        std::vector<fiber> fibers;
        fibers.reserve(out.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            fibers.emplace_back(std::allocator_arg, fiber_stacks(), [this, out, i] {
                boost::this_fiber::sleep_for(delay_);
                out[i].woken = i;
            });
        for (fiber& one : fibers) one.join();
    }

  private:
    std::chrono::microseconds delay_;
};

const registered<sleepers, fiber_sleepers> sleepers_twin("fibers");

// --- skynet: ten fibers for every inner node. As many threads as cores take the children of the
// root.

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

    static resource_use resources(std::size_t cores) { return {cores + 1, 1, fiber_stack_bytes}; }

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

const registered<skynet, fiber_skynet> skynet_twin("fibers_multi");

// --- sum_squares: a fiber per sum, on as many threads as cores. A fiber stays on its thread:
// Boost's schedulers that move fibers cost several microseconds for each.

class fiber_sum_squares {
  public:
    fiber_sum_squares(const sum_squares::params& p, const setting& with) : n_(p.n), threads_(with.cores) {}

    static resource_use resources(std::size_t cores) { return {cores + 1, 1, fiber_stack_bytes}; }

    void run(std::span<sum_squares::output> out) {
        threads_.run(out.size(), [&](std::size_t i) {
            // It waits for nothing: one stack is in use at a time.
            fiber(boost::fibers::launch::dispatch, std::allocator_arg, fiber_stacks(), [&] {
                out[i].sum = kernels::sum_of_squares(n_);
            }).join();
        });
    }

  private:
    std::uint64_t n_;
    flat_pool threads_;
};

const registered<sum_squares, fiber_sum_squares> sum_squares_twin("fibers_multi");

}  // namespace
}  // namespace crossover::bench::native

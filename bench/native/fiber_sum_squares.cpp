// sum_squares on Boost.Fiber: a fiber per sum, on as many threads as cores. A fiber stays on its thread:
// Boost's schedulers that move fibers cost several microseconds for each.
#include <boost/fiber/fiber.hpp>

#include "bench/native/fiber_stacks.hpp"
#include "bench/native/flat_pool.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

using boost::fibers::fiber;

class fiber_sum_squares {
  public:
    fiber_sum_squares(const sum_squares::params& p, const setting& with) : n_(p.n), threads_(with.cores) {}

    static resources held(std::size_t cores) { return {cores + 1, 1, fiber_stack_bytes}; }
    static bool fits(const sum_squares::params&) { return true; }

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

const registered<sum_squares, fiber_sum_squares> here("fibers_multi");

}  // namespace
}  // namespace crossover::bench::native

// sum_squares on a pool of as many threads as cores.
#include "bench/native/flat_pool.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

class pool_sum_squares {
  public:
    pool_sum_squares(const sum_squares::params& p, const setting& with) : n_(p.n), pool_(with.cores) {}

    static resources held(std::size_t cores) { return {cores + 1, 1, 0}; }
    static bool fits(const sum_squares::params&) { return true; }

    void run(std::span<sum_squares::output> out) {
        pool_.run(out.size(), [&](std::size_t i) { out[i].sum = kernels::sum_of_squares(n_); });
    }

  private:
    std::uint64_t n_;
    flat_pool pool_;
};

const registered<sum_squares, pool_sum_squares> here("thread_pool");

}  // namespace
}  // namespace crossover::bench::native

// sum_squares on as many worker processes as cores.
#include "bench/native/prefork.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

class prefork_sum_squares {
  public:
    prefork_sum_squares(const sum_squares::params& p, const setting& with)
        : workers_(with.cores, [n = p.n](std::size_t) { return kernels::sum_of_squares(n); }) {}

    static resources held(std::size_t cores) { return {cores + 1, cores + 1, 0}; }
    static bool fits(const sum_squares::params&) { return true; }

    std::vector<int> worker_ids() const { return workers_.worker_ids(); }

    void run(std::span<sum_squares::output> out) {
        workers_.run(out.size(), [&](std::size_t i, std::uint64_t sum) { out[i].sum = sum; });
    }

  private:
    prefork workers_;
};

const registered<sum_squares, prefork_sum_squares> here("process_pool");

}  // namespace
}  // namespace crossover::bench::native

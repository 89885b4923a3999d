// sum_squares on oneTBB: a task per sum in a task_group.
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_group.h>

#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

class tbb_sum_squares {
  public:
    tbb_sum_squares(const sum_squares::params& p, const setting& with)
        : n_(p.n), most_threads_(tbb::global_control::max_allowed_parallelism, with.cores) {}

    static resources held(std::size_t cores) { return {cores, 1, 0}; }
    static bool fits(const sum_squares::params&) { return true; }

    void run(std::span<sum_squares::output> out) {
        tbb::task_group group;
        for (sum_squares::output& one : out)
            group.run([&one, n = n_] { one.sum = kernels::sum_of_squares(n); });
        group.wait();
    }

  private:
    std::uint64_t n_;
    tbb::global_control most_threads_;
};

const registered<sum_squares, tbb_sum_squares> here("tbb_tasks");

}  // namespace
}  // namespace crossover::bench::native

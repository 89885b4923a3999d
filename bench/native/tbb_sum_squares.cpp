// sum_squares on oneTBB: a task per sum in a task_group, and a parallel_for over them.
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_group.h>

#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

class on_tbb {
  public:
    on_tbb(const sum_squares::params& p, const setting& with)
        : n_(p.n), most_threads_(tbb::global_control::max_allowed_parallelism, with.cores) {}

    static resources held(std::size_t cores) { return {cores, 1, 0}; }
    static bool fits(const sum_squares::params&) { return true; }

  protected:
    std::uint64_t n_;

  private:
    tbb::global_control most_threads_;
};

class tbb_task_group : public on_tbb {
  public:
    using on_tbb::on_tbb;
    void run(std::span<sum_squares::output> out) {
        tbb::task_group group;
        for (sum_squares::output& one : out)
            group.run([&one, n = n_] { one.sum = kernels::sum_of_squares(n); });
        group.wait();
    }
};

class tbb_loop : public on_tbb {
  public:
    using on_tbb::on_tbb;
    void run(std::span<sum_squares::output> out) {
        tbb::parallel_for(std::size_t{0}, out.size(),
                          [&](std::size_t i) { out[i].sum = kernels::sum_of_squares(n_); });
    }
};

const registered<sum_squares, tbb_task_group> a_task_each("tbb_tasks");
const registered<sum_squares, tbb_loop> a_loop("tbb_parallel_for");

}  // namespace
}  // namespace crossover::bench::native

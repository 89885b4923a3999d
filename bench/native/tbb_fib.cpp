// fib on oneTBB: two tasks in a task_group for every call, as in oneTBB's own example.
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_group.h>

#include "bench/native/twin_cell_of.hpp"
#include "workloads/fib.hpp"

namespace crossover::bench::native {
namespace {

std::uint64_t number(std::uint64_t n) {
    if (n < 2) return n;
    std::uint64_t a, b;
    tbb::task_group group;
    group.run([&, n] { a = number(n - 1); });
    group.run_and_wait([&, n] { b = number(n - 2); });
    return a + b;
}

class tbb_fib {
  public:
    tbb_fib(const fib::params& p, const setting& with)
        : n_(p.n), most_threads_(tbb::global_control::max_allowed_parallelism, with.cores) {}

    static resources held(std::size_t cores) { return {cores, 1, 0}; }
    static bool fits(const fib::params&) { return true; }

    void run(std::span<fib::output> out) { out[0].value = number(n_); }

  private:
    std::uint64_t n_;
    tbb::global_control most_threads_;
};

const registered<fib, tbb_fib> here("tbb_tasks");

}  // namespace
}  // namespace crossover::bench::native

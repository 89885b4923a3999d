// sum_squares on fork and a pipe: a process per sum.
#include <sys/wait.h>

#include "bench/native/pipe.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

class fork_sum_squares {
  public:
    fork_sum_squares(const sum_squares::params& p, const setting&) : n_(p.n) {}

    static resources held(std::size_t) { return {}; }
    static bool fits(const sum_squares::params& p) { return p.tasks <= 16; }  // all of them are alive at once

    void run(std::span<sum_squares::output> out) {
        struct result {
            std::size_t index;
            std::uint64_t sum;
        };
        pipe_pair results;
        std::vector<pid_t> children;
        for (std::size_t i = 0; i < out.size(); ++i) {
            const pid_t child = ::fork();
            if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
            if (child == 0) ::_exit(results.write(result{i, kernels::sum_of_squares(n_)}) ? 0 : 1);
            children.push_back(child);
        }
        results.close_writing();
        result all[64];
        while (const std::size_t n = results.read(std::span(all)))
            for (const result& r : std::span(all, n)) out[r.index].sum = r.sum;
        for (pid_t child : children) ::waitpid(child, nullptr, 0);
    }

  private:
    std::uint64_t n_;
};

const registered<sum_squares, fork_sum_squares> here("process_per_task");

}  // namespace
}  // namespace crossover::bench::native

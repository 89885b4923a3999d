// sum_squares on workers forked beforehand: indices go out through one pipe, sums come back through another.
#include <sys/wait.h>

#include "bench/native/pipe.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

class prefork_sum_squares {
  public:
    prefork_sum_squares(const sum_squares::params& p, const setting& with) {
        for (std::size_t i = 0; i < with.cores; ++i) {
            const pid_t worker = ::fork();
            if (worker < 0) throw std::system_error(errno, std::generic_category(), "fork");
            if (worker == 0) work(p.n);
            workers_.push_back(worker);
        }
        results_.close_writing();
        indices_.close_reading();
    }
    ~prefork_sum_squares() {
        indices_.close_writing();  // the workers end
        for (pid_t worker : workers_) ::waitpid(worker, nullptr, 0);
    }
    prefork_sum_squares(const prefork_sum_squares&) = delete;
    prefork_sum_squares& operator=(const prefork_sum_squares&) = delete;

    static resources held(std::size_t cores) { return {cores + 1, cores + 1, 0}; }
    static bool fits(const sum_squares::params&) { return true; }

    std::vector<int> worker_ids() const { return workers_; }

    void run(std::span<sum_squares::output> out) {
        result all[64];
        std::size_t sent = 0, done = 0;
        while (done < out.size()) {
            for (; sent < out.size() && sent - done < most_outstanding; ++sent) indices_.write(sent);
            const std::size_t n = results_.read(std::span(all));
            if (n == 0) throw std::runtime_error("the workers have died");
            for (const result& r : std::span(all, n)) out[r.index].sum = r.sum;
            done += n;
        }
    }

  private:
    struct result {
        std::size_t index;
        std::uint64_t sum;
    };

    [[noreturn]] void work(std::uint64_t n) {
        indices_.close_writing();
        results_.close_reading();
        std::size_t index = 0;
        while (indices_.read(std::span(&index, 1)) == 1)
            if (!results_.write(result{index, kernels::sum_of_squares(n)})) break;
        ::_exit(0);
    }

    // So that neither pipe fills while the other is full.
    static constexpr std::size_t most_outstanding = 1024;

    pipe_pair indices_;
    pipe_pair results_;
    std::vector<pid_t> workers_;
};

const registered<sum_squares, prefork_sum_squares> here("process_pool");

}  // namespace
}  // namespace crossover::bench::native

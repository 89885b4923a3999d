// sum_squares on the event loop's own interface: a task per sum, all awaited.
#include "bench/native/twin_cell_of.hpp"
#include "runtimes/event_loop/run.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

asyncio::coro<> sum(std::uint64_t n, sum_squares::output& out) {
    out.sum = kernels::sum_of_squares(n);
    co_return;
}

asyncio::coro<> all_sums(std::uint64_t n, std::span<sum_squares::output> out) {
    std::vector<asyncio::task<>> tasks;
    tasks.reserve(out.size());
    for (sum_squares::output& one : out) tasks.push_back(asyncio::create_task(sum(n, one)));
    for (asyncio::task<>& one : tasks) co_await one;
}

class loop_sum_squares {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    loop_sum_squares(const sum_squares::params& p, const setting&) : n_(p.n) {}

    static resources held(std::size_t) { return {}; }
    static bool fits(const sum_squares::params&) { return true; }

    void run(std::span<sum_squares::output> out) { runner_.run(all_sums(n_, out)); }

  private:
    std::uint64_t n_;
    asyncio::runner runner_;
};

const registered<sum_squares, loop_sum_squares> here("event_loop");

}  // namespace
}  // namespace crossover::bench::native

// skynet on the event loop's own interface: ten tasks for every inner node, all awaited.
#include "bench/native/twin_cell_of.hpp"
#include "runtimes/event_loop/run.hpp"
#include "workloads/skynet.hpp"

namespace crossover::bench::native {
namespace {

asyncio::coro<std::uint64_t> sum_of(std::uint64_t first, std::uint64_t leaves) {
    if (leaves == 1) co_return first;
    const std::uint64_t each = leaves / 10;
    std::vector<asyncio::task<std::uint64_t>> children;
    children.reserve(10);
    for (std::uint64_t i = 0; i < 10; ++i)
        children.push_back(asyncio::create_task(sum_of(first + i * each, each)));
    std::uint64_t sum = 0;
    for (asyncio::task<std::uint64_t>& child : children) {
        const std::uint64_t part = co_await child;
        sum += part;
    }
    co_return sum;
}

class loop_skynet {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    loop_skynet(const skynet::params& p, const setting&) : leaves_(p.leaves) {}

    static resources held(std::size_t) { return {}; }
    static bool fits(const skynet::params&) { return true; }

    void run(std::span<skynet::output> out) { out[0].sum = runner_.run(sum_of(0, leaves_)); }

  private:
    std::uint64_t leaves_;
    asyncio::runner runner_;
};

const registered<skynet, loop_skynet> here("event_loop");

}  // namespace
}  // namespace crossover::bench::native

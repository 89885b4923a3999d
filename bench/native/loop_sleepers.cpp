// sleepers on the event loop's own interface: a task per sleeper, all awaited.
#include <chrono>

#include "bench/native/twin_cell_of.hpp"
#include "runtimes/event_loop/run.hpp"
#include "runtimes/event_loop/sleep.hpp"
#include "workloads/sleepers.hpp"

namespace crossover::bench::native {
namespace {

asyncio::coro<> sleeper(std::chrono::microseconds delay, std::size_t i, sleepers::output& out) {
    co_await asyncio::sleep(delay);
    out.woken = i;
}

asyncio::coro<> all_sleepers(std::chrono::microseconds delay, std::span<sleepers::output> out) {
    std::vector<asyncio::task<>> tasks;
    tasks.reserve(out.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        tasks.push_back(asyncio::create_task(sleeper(delay, i, out[i])));
    for (asyncio::task<>& one : tasks) co_await one;
}

class loop_sleepers {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    loop_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us) {}

    static resources held(std::size_t) { return {}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= p.tasks; }

    void run(std::span<sleepers::output> out) { runner_.run(all_sleepers(delay_, out)); }

  private:
    std::chrono::microseconds delay_;
    asyncio::runner runner_;
};

const registered<sleepers, loop_sleepers> here("event_loop");

}  // namespace
}  // namespace crossover::bench::native

// sleepers on std::thread: start them all, join them all.
#include <chrono>
#include <thread>

#include "bench/native/twin_cell_of.hpp"
#include "runtimes/stack_size.hpp"
#include "workloads/sleepers.hpp"

namespace crossover::bench::native {
namespace {

class thread_sleepers {
  public:
    thread_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us) {}

    static resources held(std::size_t) { return {1, 1, stack_bytes_of_threads()}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= p.tasks && p.tasks <= 10'000; }

    void run(std::span<sleepers::output> out) {
        std::vector<std::thread> threads;
        threads.reserve(out.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            threads.emplace_back([this, out, i] {
                std::this_thread::sleep_for(delay_);
                out[i].woken = i;
            });
        for (std::thread& one : threads) one.join();
    }

  private:
    std::chrono::microseconds delay_;
};

const registered<sleepers, thread_sleepers> here("thread_per_task");

}  // namespace
}  // namespace crossover::bench::native

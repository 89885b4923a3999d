// The rows of CPython's asyncio: each a child that tells what it took.
#include <cstdlib>
#include <sstream>

#include "bench/loop_bench/fresh_process.hpp"
#include "bench/loop_bench/rows.hpp"

namespace crossover::loop_bench {
namespace {

void measure(benchmark::State& s, const std::string& operation) {
    for (auto _ : s) {
        double tasks = 0;
        double bytes = 0;
        double nanoseconds = 0;
        try {
            fresh_process python({"/usr/bin/python3", "-I", CPYTHON_ROWS, operation});
            std::istringstream(python.line()) >> tasks >> bytes >> nanoseconds;
        } catch (const std::exception& e) {
            return s.SkipWithError(e.what());
        }
        s.SetIterationTime(nanoseconds / tasks / 1e9);
        if (bytes > 0) s.counters["bytes_each"] = bytes / tasks;
    }
}

}  // namespace

void add_cpython_rows() {
    for (const char* operation :
         {"create_task_await", "sleep_0/tasks:1", "sleep_0/tasks:100", "child_await", "queue_hop/places:1",
          "queue_hop/places:127", "lock_release", "gather_child", "timer_call_later_cancel/live:10000",
          "timer_call_at_cancel/live:10000", "cross_thread_wake", "skynet_task", "sleepers"})
        add_told_row(operation, "cpython", [operation](benchmark::State& s) { measure(s, operation); });
}

}  // namespace crossover::loop_bench

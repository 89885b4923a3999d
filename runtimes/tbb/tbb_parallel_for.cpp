// The loop over a batch.
#include "runtimes/tbb/tbb_parallel_for.hpp"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

#include <atomic>

#include "runtimes/contract/batch.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

tbb_parallel_for::tbb_parallel_for(const options& settings)
    : cores_(settings.cores),
      most_threads_(tbb::global_control::max_allowed_parallelism, cores_),
      arena_(static_cast<int>(cores_)),
      parkers_(std::make_unique<blocking::parker[]>(cores_)) {
    // TBB starts them amid a run, and ends the process if one of them cannot start the next.
    need_threads(cores_, "starting the threads of TBB");
}

resource_use tbb_parallel_for::resources() const { return {cores_, 1, stack_bytes_of_threads()}; }

void tbb_parallel_for::wake_blocked() {
    for (std::size_t place = 0; place < cores_; ++place) parkers_[place].wake();
}

void tbb_parallel_for::run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                                 const stop_state* outer) {
    batch_state state(rules, outer);
    using range = tbb::blocked_range<std::size_t>;
    // Errors are noted and never reach TBB, which would cancel the loop.
    auto run_range = [&](const range& chunk) {
        auto place = static_cast<std::size_t>(tbb::this_task_arena::current_thread_index());
        context ctx(*this, parkers_[place], state.stop());
        for (std::size_t i = chunk.begin(); i < chunk.end() && !state.stopped(); ++i)
            if (run_noted(state, i, [&] { item_job(ctx, data, i).finish(); })) wake_blocked();
    };
    if (rules.in_flight >= cores_) {
        tbb::parallel_for(range(0, n), run_range);
    } else {
        std::atomic<std::size_t> next{0};
        tbb::parallel_for(
            range(0, rules.in_flight, 1),
            [&](const range&) {
                for (std::size_t i = 0; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;)
                    run_range(range(i, i + 1));
            },
            tbb::simple_partitioner());
    }
    state.finish();
}

blocking::ready<> tbb_parallel_for::context::run(std::size_t n, job<context> item_job, const void* batch,
                                                 policy rules) {
    blocking::check(stop());
    tbb::this_task_arena::isolate([&] { in_.run_batch(n, item_job, batch, rules, stop()); });
    return {};
}

void tbb_parallel_for::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    arena_.execute([&] { run_batch(n, item_job, batch, rules, nullptr); });
}

}  // namespace crossover

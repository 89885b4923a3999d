// What an item is run with, and what TBB is told before it starts.
#include "runtimes/tbb/tbb_resumable.hpp"

#include <string>

#include "runtimes/system/limits/limits.hpp"

namespace crossover {

inline void tbb_resumable::run_item(running_batch& batch, std::size_t index) {
    context ctx(*this, batch.stop());
    batch.run_item(ctx, index, [this] { watcher_.wake_stopped(); });
}

tbb_resumable::tbb_resumable(const options& settings)
    : cores_(settings.cores),
      stack_size_(tbb::global_control::thread_stack_size, stack_bytes),
      most_threads_(tbb::global_control::max_allowed_parallelism, cores_),
      arena_(static_cast<int>(cores_)),
      places_(std::make_unique<place[]>(cores_)),
      executor_(executor_threads(cores_)) {
    // TBB starts them amid a run, and ends the process if one of them cannot start the next.
    need_threads(cores_, "starting the threads of TBB");
    // Where a stack cannot be mapped TBB uses the null pointer.
    need_address_space(guaranteed_concurrency() * stack_bytes,
                       "the stacks of " + std::to_string(guaranteed_concurrency()) + " waiting tasks");
}

tbb_resumable::place& tbb_resumable::here() {
    return places_[static_cast<std::size_t>(tbb::this_task_arena::current_thread_index())];
}

void tbb_resumable::run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                              const stop_state* outer) {
    running_batch(*this, n, item_job, data, rules, outer, here().unbound).run();
}

blocking::ready<> tbb_resumable::context::run(std::size_t n, job<context> item_job, const void* batch,
                                              policy rules) {
    check(stop());
    tbb::this_task_arena::isolate([&] { in_.run_batch(n, item_job, batch, rules, stop()); });
    return {};
}

void tbb_resumable::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    arena_.execute([&] { run_batch(n, item_job, batch, rules, nullptr); });
}

}  // namespace crossover

// The task that runs one item, and the groups that wait for them.
#include "runtimes/tbb_resumable.hpp"

#include <algorithm>
#include <atomic>
#include <string>

#include "runtimes/batch.hpp"
#include "runtimes/limits.hpp"

namespace crossover {

// Runs one item, and starts another in its place while the policy bounds the items in flight. Never throws:
// an exception would make the group cancel what is queued, which all_done forbids.
struct tbb_resumable::item {
    running_batch* batch;
    std::size_t index;
    void operator()() const;
};

// Lies on the stack of whoever runs the batch, who stays until the group is empty.
struct tbb_resumable::running_batch {
    running_batch(tbb_resumable& runtime, std::size_t items, job<context> job_of_items,
                  const void* items_data, const policy& rules, const stop_state* outer)
        : in(runtime),
          state(rules, outer),
          each(job_of_items),
          data(items_data),
          n(items),
          group(in.here().unbound) {}

    // All but the last are spawned, that one runs at once; then this thread helps until all have ended.
    void run() {
        std::size_t first = std::min(n, state.rules().in_flight);
        bounded = first < n;
        next.store(first, std::memory_order_relaxed);
        for (std::size_t index = 0; index + 1 < first; ++index) group.run(item{this, index});
        group.run_and_wait(item{this, first - 1});
    }

    tbb_resumable& in;
    batch_state state;
    job<context> each;
    const void* data;
    std::size_t n;
    bool bounded = false;
    std::atomic<std::size_t> next{0};
    tbb::task_group group;
};

void tbb_resumable::item::operator()() const {
    batch_state& state = batch->state;
    if (state.stopped()) return;
    context ctx(batch->in, state.stop());
    if (run_noted(state, index, [&] { batch->each(ctx, batch->data, index).finish(); }))
        batch->in.watcher_.wake_stopped();
    if (!batch->bounded) return;
    std::size_t following = batch->next.fetch_add(1, std::memory_order_relaxed);
    if (following < batch->n) batch->group.run(item{batch, following});
}

tbb_resumable::tbb_resumable(const options& with)
    : cores_(with.cores),
      stack_size_(tbb::global_control::thread_stack_size, stack_bytes),
      most_threads_(tbb::global_control::max_allowed_parallelism, cores_),
      arena_(static_cast<int>(cores_)),
      places_(std::make_unique<place[]>(cores_)),
      executor_(executor_threads(cores_)) {
    // TBB starts them amid a run, and ends the process if one of them cannot start the next.
    need_threads(cores_, "starting the threads of TBB");
    // Where a stack cannot be mapped TBB uses the null pointer.
    need_address_space(at_once() * stack_bytes,
                       "the stacks of " + std::to_string(at_once()) + " waiting tasks");
}

tbb_resumable::place& tbb_resumable::here() {
    return places_[static_cast<std::size_t>(tbb::this_task_arena::current_thread_index())];
}

void tbb_resumable::run_batch(std::size_t n, job<context> each, const void* data, const policy& rules,
                              const stop_state* outer) {
    running_batch batch(*this, n, each, data, rules, outer);
    if (n > 0) batch.run();
    batch.state.finish();
}

blocking::ready<> tbb_resumable::context::run(std::size_t n, job<context> each, const void* batch,
                                              policy rules) {
    check(stop());
    tbb::this_task_arena::isolate([&] { in_.run_batch(n, each, batch, rules, stop()); });
    return {};
}

void tbb_resumable::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    arena_.execute([&] { run_batch(n, each, batch, rules, nullptr); });
}

}  // namespace crossover

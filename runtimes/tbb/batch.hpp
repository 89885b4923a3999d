// A batch as a group of TBB tasks, one for each item that may be in flight: what the models with a task_group
// share.
#pragma once

#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/runtime.hpp"

namespace crossover {

// Lies on the stack of whoever runs the batch, who stays until the group is empty. `Model` has
//   run_item(batch, index): calls batch.run_item with the context of its thread.
template <class Model>
class tbb_batch {
  public:
    using context = typename Model::context;

    // Runs one item and, while the policy bounds the items in flight, those that start in its place. They run
    // in the same task: between oneTBB 2022.0 and 2022.2 a task may be spawned only where the stack outlives
    // it, as that of run() does. A suspended item's does not (oneTBB's pull request 1785).
    struct item {
        tbb_batch* batch;
        std::size_t index;
        void operator()() const {
            for (std::size_t i = index; i < batch->n_ && !batch->state_.stopped(); i = batch->following())
                batch->model_.run_item(*batch, i);
        }
    };

    // `unbound` cancels nothing: it is of the thread that runs the batch.
    tbb_batch(Model& model, std::size_t items, job<context> job_of_items, const void* items_data,
              const policy& rules, const stop_state* outer, tbb::task_group_context& unbound)
        // Member by member: a copy of the whole, just written, waits until it has reached the cache.
        : model_(model),
          state_(policy(rules.in_flight, rules.stop, rules.deadline), outer),
          job_(job_of_items),
          data_(items_data),
          n_(items),
          group_(unbound) {}

    // All but the last are spawned, that one runs at once; then this thread helps until all have ended.
    // Throws the error of the batch, if it has one.
    void run() {
        if (n_ > 0) {
            const std::size_t first = std::min(n_, state_.rules().in_flight);
            bounded_ = first < n_;
            next_.store(first, std::memory_order_relaxed);
            for (std::size_t index = 0; index + 1 < first; ++index) group_.run(item{this, index});
            group_.run_and_wait(item{this, first - 1});
        }
        state_.finish();
    }

    const stop_state* stop() { return state_.stop(); }

    // Runs one item. Never throws: an exception would make the group cancel what is queued, which all_done
    // forbids. Calls wake_blocked() when the item has stopped the batch.
    template <class WakeBlocked>
    [[gnu::always_inline]] void run_item(context& ctx, std::size_t index, WakeBlocked wake_blocked) {
        if (run_noted(state_, index, [&] { job_(ctx, data_, index).finish(); })) wake_blocked();
    }

  private:
    std::size_t following() { return bounded_ ? next_.fetch_add(1, std::memory_order_relaxed) : n_; }

    Model& model_;
    batch_state state_;
    job<context> job_;
    const void* data_;
    std::size_t n_;
    bool bounded_ = false;
    std::atomic<std::size_t> next_{0};
    tbb::task_group group_;
};

}  // namespace crossover

// tbb_resumable: a oneTBB task per item that is suspended while it waits (task::suspend), so that waits need
// no threads.
#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstddef>
#include <memory>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/suspending/executor_threads.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/processor.hpp"
#include "runtimes/tbb/batch.hpp"
#include "runtimes/tbb/resumable/verbs.hpp"

namespace crossover {

// One scheduled task is one TBB task, spawned on its own; see batch.hpp for batches with a bound. A task that
// is suspended keeps its stack, and whoever resumes it may be another thread.
//
// Every wait for a nested batch is isolated: only tasks of that batch, and tasks that were suspended, are
// taken up in it. Else an item could come to lie on the stack above another one that it waits for. For the
// same reason a thread whose nested items are all suspended starts no other item until one of them goes on.
// That costs fib 4 % of its CPU time at most, and skynet nothing that could be measured.
class tbb_resumable {
  public:
    class context : public resumable::verbs {
      public:
        using semaphore = resumable::semaphore;
        template <class T>
        using channel = resumable::channel<T>;

        context(tbb_resumable& in, const stop_state* stop)
            : verbs(in.watcher_, in.executor_, stop), in_(in) {}

        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules);

      private:
        tbb_resumable& in_;
    };

    static constexpr std::string_view name = "tbb_resumable";
    static constexpr std::string_view family = "tbb";
    static constexpr engineering engineered = engineering::library;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb) { return ""; }

    explicit tbb_resumable(const options& settings);

    std::size_t guaranteed_concurrency() const { return std::min(most_tried, waits_.guaranteed_concurrency); }
    std::string concurrency_limit() const {
        return guaranteed_concurrency() < most_tried ? waits_.limit : "nobody has tried more suspended tasks";
    }
    resource_use resources() const {
        return {
            .threads = cores_ + 1, .stack_bytes = stack_bytes, .executor_threads = executor_threads(cores_)};
    }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

  private:
    friend class tbb_batch<tbb_resumable>;
    using running_batch = tbb_batch<tbb_resumable>;

    // What a thread has for itself: the context of the batches that it starts. Nobody cancels through TBB, so
    // one serves them all, as in tbb_tasks.
    struct alignas(cache_line_bytes) place {
        tbb::task_group_context unbound{tbb::task_group_context::isolated};
    };
    place& here();

    // TBB's own choice of 4 MB would reserve 40 GB for 10,000 waiting items. This holds the frames of nested
    // batches a few hundred deep.
    static constexpr std::size_t stack_bytes = 512 * 1024;

    void run_item(running_batch& batch, std::size_t index);
    void run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                   const stop_state* outer);

    // Each suspended task takes a stack of its own, of which it has touched two pages when it only waits. At
    // the limit of mappings TBB crashes.
    static constexpr std::size_t most_tried = 20'000;
    const waits_allowed waits_ =
        waits_within_limits(cost_of_waiting{.bytes = 3 * page_bytes(), .mappings = 3});
    std::size_t cores_;
    tbb::global_control stack_size_;
    tbb::global_control most_threads_;
    tbb::task_arena arena_;
    std::unique_ptr<place[]> places_;
    resumable::watcher watcher_;
    cross_thread::executor executor_;
};

static_assert(runtime<tbb_resumable> && verbs_are_explained<tbb_resumable>());

}  // namespace crossover

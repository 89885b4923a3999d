// tbb_parallel_for: oneTBB's parallel loop, which cuts the items into chunks by itself. For many small items.
#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cstddef>
#include <memory>

#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/runtime.hpp"

namespace crossover {

// One scheduled task = a chunk, as large as TBB's auto_partitioner makes it: a few for each thread, more
// where chunks are stolen. Its items run one after the other, so that no two of them can be counted on to be
// alive together. Where fewer items may be in flight than there are threads, a task takes items one by one.
class tbb_parallel_for {
  public:
    class context : public blocking::verbs {
      public:
        context(tbb_parallel_for& in, blocking::parker& own, const stop_state* stop)
            : verbs(own, stop), in_(in) {}

        // The loop inside waits in isolation: else the thread could take up an item of another batch, which
        // may need the permit that this one holds.
        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules);

        void yield() = delete;  // see missing_reason

      private:
        tbb_parallel_for& in_;
    };

    static constexpr std::string_view name = "tbb_parallel_for";
    static constexpr std::string_view family = "tbb";
    static constexpr engineering engineered = engineering::library;
    static constexpr std::string_view back_end = "";
    static constexpr bool in_chunks = true;

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::queue:
                return "the items of a chunk run one after the other: one that waits for the next waits "
                       "forever";
            case verb::yield:
                return "a chunk runs to its end: the rest of it cannot be queued again";
            case verb::offload:
                return "an item holds its worker while it waits for the call: see tbb_resumable";
            default:
                return "";
        }
    }

    explicit tbb_parallel_for(const options& settings);

    std::size_t guaranteed_concurrency() const { return 1; }
    resource_use resources() const;

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

  private:
    void run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                   const stop_state* outer);
    void wake_blocked();

    std::size_t cores_;
    tbb::global_control most_threads_;
    tbb::task_arena arena_;
    std::unique_ptr<blocking::parker[]> parkers_;  // one per place in the arena
};

static_assert(runtime<tbb_parallel_for> && verbs_are_explained<tbb_parallel_for>());

}  // namespace crossover

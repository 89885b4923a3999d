// process_pool_pipe: one worker process per core, forked once, with a pipe to each through which arguments
// and results are copied.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/pipes/pool.hpp"

namespace crossover {

// What Python's ProcessPoolExecutor is: a worker gets one item at a time, works on its own copy of what the
// item reads, and sends back what comes out. Nothing is shared.
class process_pool_pipe {
  public:
    using context = pipes::context;

    static constexpr std::string_view name = "process_pool_pipe";
    static constexpr std::string_view family = "processes";
    static constexpr std::string_view variant_of = "process_pool";
    static constexpr engineering engineered = engineering::textbook;
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::fork:
                return "only the caller has a pipe to the workers: an item cannot give them work";
            case verb::limit:
            case verb::queue:
                return "items share no memory, and have no pipe to each other";
            case verb::offload:
                return "has no thread but the one that runs the item: what blocks it holds up no other item";
            default:
                return "";
        }
    }

    // Must be made before the process has any thread.
    explicit process_pool_pipe(const options& settings)
        : pool_(std::make_unique<pipes::pool>(name.data(), *settings.memory, settings.cores)) {}

    std::size_t guaranteed_concurrency() const { return pool_->size(); }
    resource_use resources() const { return pool_->resources(); }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules,
             const extents& of_batch = {}) {
        pool_->run(n, item_job, batch, rules, of_batch);
    }

    usage workers_used() const { return pool_->used(); }
    std::span<const int> worker_ids() const { return pool_->ids(); }

  private:
    std::unique_ptr<pipes::pool> pool_;
};

static_assert(runtime<process_pool_pipe> && has_workers<process_pool_pipe> &&
              copies_batches<process_pool_pipe> && verbs_are_explained<process_pool_pipe>());

}  // namespace crossover

// process_pool_chunked: the pool of process_pool, fed with chunks of items. For many small items.
#pragma once

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/model.hpp"
#include "runtimes/scheduler/chunked.hpp"
#include "runtimes/scheduler/patience.hpp"

namespace crossover {

// One scheduled task = a chunk, a quarter of a worker's share, whose items run one after the other. Nested
// batches are not cut: their items are few, and each is a task.
class process_pool_chunked : public processes::model {
  public:
    static constexpr std::string_view name = "process_pool_chunked";
    static constexpr engineering engineered = engineering::best;
    static constexpr bool in_chunks = true;

    explicit process_pool_chunked(const options& settings)
        : model(name, settings, settings.cores, pool::look_on), memory_(*settings.memory) {}

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        chunked<processes::pool>::run(own_pool(), memory_, guaranteed_concurrency(), n, item_job, batch,
                                      rules);
    }

  private:
    arena& memory_;
};

static_assert(runtime<process_pool_chunked> && has_workers<process_pool_chunked> &&
              verbs_are_explained<process_pool_chunked>());

}  // namespace crossover

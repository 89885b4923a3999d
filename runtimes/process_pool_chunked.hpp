// process_pool_chunked: the pool of process_pool, fed with chunks of items. For many small items.
#pragma once

#include "runtimes/chunked.hpp"
#include "runtimes/processes/pool.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// One scheduled task = a chunk, a quarter of a worker's share, whose items run one after the other. Nested
// batches are not cut: their items are few, and each is a task.
class process_pool_chunked {
  public:
    using context = processes::context;

    static constexpr std::string_view name = "process_pool_chunked";
    static constexpr std::string_view family = "processes";
    static constexpr std::string_view back_end = "";
    static constexpr bool in_chunks = true;

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload
                   ? "has no thread but the one that runs the item: what blocks it holds up no other item"
                   : "";
    }

    // Must be made before the process has any thread.
    explicit process_pool_chunked(const options& o)
        : memory_(*o.memory),
          pool_("process_pool_chunked", *o.memory, o.cores, std::chrono::microseconds(20)) {}

    std::size_t at_once() const { return pool_.size(); }
    resources held() const { return pool_.held(); }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        chunked<fed>::run(pool_, memory_, pool_.size(), n, each, batch, rules);
    }

    usage workers_used() const { return pool_.used(); }
    std::span<const int> worker_ids() const { return pool_.ids(); }

  private:
    struct fed : processes::pool {
        using pool::pool;
        using context = processes::context;
    };

    arena& memory_;
    fed pool_;
};

static_assert(runtime<process_pool_chunked> && has_workers<process_pool_chunked> &&
              verbs_are_explained<process_pool_chunked>());

}  // namespace crossover

// thread_pool_chunked: the pool of thread_pool, fed with chunks of items. For many small items.
#pragma once

#include "runtimes/chunked.hpp"
#include "runtimes/pool/stealing_pool.hpp"
#include "runtimes/runtime.hpp"
#include "runtimes/stack_size.hpp"

namespace crossover {

// One scheduled task = a chunk, a quarter of a worker's share, whose items run one after the other. Nested
// batches are not cut: their items are few, and each is a task.
class thread_pool_chunked {
  public:
    using context = pool::context;

    static constexpr std::string_view name = "thread_pool_chunked";
    static constexpr std::string_view family = "threads";
    static constexpr std::string_view back_end = "";
    static constexpr bool in_chunks = true;

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload ? "an item holds its worker while it waits for the call: nothing is gained"
                                  : "";
    }

    explicit thread_pool_chunked(const options& with) : memory_(*with.memory), pool_(with.cores) {}

    std::size_t at_once() const { return pool_.size(); }
    resources held() const { return {pool_.size() + 1, 1, stack_bytes_of_threads()}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        chunked<fed>::run(pool_, memory_, pool_.size(), n, each, batch, rules);
    }

  private:
    struct fed : pool::stealing_pool {
        using stealing_pool::stealing_pool;
        using context = pool::context;
    };

    arena& memory_;
    fed pool_;
};

static_assert(runtime<thread_pool_chunked> && verbs_are_explained<thread_pool_chunked>());

}  // namespace crossover

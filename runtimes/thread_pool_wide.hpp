// thread_pool_wide: 256 threads whatever the machine, made once. Wide enough to hold the waits of I/O-bound
// work.
#pragma once

#include "runtimes/pool/stealing_pool.hpp"
#include "runtimes/runtime.hpp"
#include "runtimes/stack_size.hpp"

namespace crossover {

class thread_pool_wide {
  public:
    using context = pool::context;

    static constexpr std::string_view name = "thread_pool_wide";
    static constexpr std::string_view family = "threads";
    static constexpr std::string_view back_end = "";
    static constexpr std::size_t width = 256;

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload ? "an item holds its worker while it waits for the call: nothing is gained"
                                  : "";
    }

    explicit thread_pool_wide(const options& with) : pool_(with.workers ? with.workers : width) {}

    std::size_t at_once() const { return pool_.size(); }
    resources held() const { return {pool_.size() + 1, 1, stack_bytes_of_threads()}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        pool_.run(n, each, batch, rules);
    }

  private:
    pool::stealing_pool pool_;
};

static_assert(runtime<thread_pool_wide> && verbs_are_explained<thread_pool_wide>());

}  // namespace crossover

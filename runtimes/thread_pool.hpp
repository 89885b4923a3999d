// thread_pool: as many threads as cores, made once. A blocked item holds its thread, so it is for CPU work.
#pragma once

#include "runtimes/pool/stealing_pool.hpp"
#include "runtimes/runtime.hpp"
#include "runtimes/stack_size.hpp"

namespace crossover {

class thread_pool {
  public:
    using context = pool::context;

    static constexpr std::string_view name = "thread_pool";
    static constexpr std::string_view family = "threads";
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload ? "an item holds its worker while it waits for the call: nothing is gained"
                                  : "";
    }

    explicit thread_pool(const options& with) : pool_(with.cores) {}

    std::size_t at_once() const { return pool_.size(); }
    resources held() const { return {pool_.size() + 1, 1, stack_bytes_of_threads()}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        pool_.run(n, each, batch, rules);
    }

  private:
    pool::stealing_pool pool_;
};

static_assert(runtime<thread_pool> && verbs_are_explained<thread_pool>());

}  // namespace crossover

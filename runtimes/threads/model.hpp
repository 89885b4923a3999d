// The common part of models on a pool of threads; each sets the number of workers and how long they look for
// work.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/threads/threads.hpp"

namespace crossover::pool {

class model {
  public:
    using context = threads::context;

    static constexpr std::string_view family = "threads";
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        return v == verb::offload ? "an item holds its worker while it waits for the call: nothing is gained"
                                  : "";
    }

    std::size_t guaranteed_concurrency() const { return pool_.size(); }
    resource_use resources() const { return {pool_.size() + 1, 1, stack_bytes_of_threads()}; }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        pool_.run(n, item_job, batch, rules);
    }

  protected:
    // As the pool's.
    model(std::size_t workers, std::chrono::nanoseconds look) : pool_(workers, look) {}

    threads& own_pool() { return pool_; }

  private:
    threads pool_;
};

}  // namespace crossover::pool

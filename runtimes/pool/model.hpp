// What the models on a pool of threads share; each says how many there are and how long they look for work.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "runtimes/pool/threads.hpp"
#include "runtimes/runtime.hpp"
#include "runtimes/stack_size.hpp"

namespace crossover::pool {

class model {
  public:
    using context = threads::context;

    static constexpr std::string_view family = "threads";
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload ? "an item holds its worker while it waits for the call: nothing is gained"
                                  : "";
    }

    std::size_t at_once() const { return pool_.size(); }
    resources held() const { return {pool_.size() + 1, 1, stack_bytes_of_threads()}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        pool_.run(n, each, batch, rules);
    }

  protected:
    // As the pool's.
    model(std::size_t workers, std::chrono::nanoseconds look) : pool_(workers, look) {}

    threads& own_pool() { return pool_; }

  private:
    threads pool_;
};

}  // namespace crossover::pool

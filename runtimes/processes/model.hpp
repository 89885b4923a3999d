// What the models on a pool of processes share; each says how many there are and how long they look for work.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "runtimes/processes/family.hpp"
#include "runtimes/processes/pool.hpp"
#include "runtimes/runtime.hpp"

namespace crossover::processes {

// To be made before the process has any thread.
class model : public of_the_family {
  public:
    using context = processes::pool::context;

    std::size_t at_once() const { return pool_.size(); }
    resources held() const { return pool_.held(); }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        pool_.run(n, each, batch, rules);
    }

    usage workers_used() const { return pool_.used(); }
    std::span<const int> worker_ids() const { return pool_.ids(); }

  protected:
    // As the pool's.
    model(std::string_view name, const options& with, std::size_t workers, std::chrono::nanoseconds look)
        : pool_(name.data(), *with.memory, workers, look) {}

    processes::pool& own_pool() { return pool_; }

  private:
    processes::pool pool_;
};

}  // namespace crossover::processes

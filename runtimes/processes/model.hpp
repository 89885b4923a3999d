// The common part of models on a pool of processes; each sets the number of workers and how long they look
// for work.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/family.hpp"
#include "runtimes/processes/pool.hpp"

namespace crossover::processes {

// To be made before the process has any thread.
class model : public of_the_family {
  public:
    using context = processes::pool::context;

    std::size_t guaranteed_concurrency() const { return pool_.size(); }
    resource_use resources() const { return pool_.resources(); }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        pool_.run(n, item_job, batch, rules);
    }

    usage workers_used() const { return pool_.used(); }
    std::span<const int> worker_ids() const { return pool_.ids(); }

  protected:
    // As the pool's.
    model(std::string_view name, const options& settings, std::size_t workers, std::chrono::nanoseconds look)
        : pool_(name.data(), *settings.memory, workers, look) {}

    processes::pool& own_pool() { return pool_; }

  private:
    processes::pool pool_;
};

}  // namespace crossover::processes

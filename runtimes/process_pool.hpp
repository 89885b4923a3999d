// process_pool: one worker process per core, forked once, fed over shared memory. For work that computes.
#pragma once

#include "runtimes/processes/pool.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

class process_pool {
  public:
    using context = processes::context;

    static constexpr std::string_view name = "process_pool";
    static constexpr std::string_view family = "processes";
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload
                   ? "has no thread but the one that runs the item: what blocks it holds up no other item"
                   : "";
    }

    // Must be made before the process has any thread. Trees and uneven items want their helpers awake: a
    // worker without work looks on for about as long as waking it would take.
    explicit process_pool(const options& o)
        : pool_("process_pool", *o.memory, o.cores, std::chrono::microseconds(20)) {}

    std::size_t at_once() const { return pool_.size(); }
    resources held() const { return pool_.held(); }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        pool_.run(n, each, batch, rules);
    }

    usage workers_used() const { return pool_.used(); }
    std::span<const int> worker_ids() const { return pool_.ids(); }

  private:
    processes::pool pool_;
};

static_assert(runtime<process_pool> && has_workers<process_pool> && verbs_are_explained<process_pool>());

}  // namespace crossover

// process_pool_wide: more worker processes than cores, forked once, fed over shared memory. For work that
// waits.
#pragma once

#include "runtimes/processes/pool.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

class process_pool_wide {
  public:
    using context = processes::context;

    static constexpr std::string_view name = "process_pool_wide";
    static constexpr std::string_view family = "processes";
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload
                   ? "has no thread but the one that runs the item: what blocks it holds up no other item"
                   : "";
    }

    static constexpr std::size_t width = 32;

    // Must be made before the process has any thread. There are more workers than cores: one that has nothing
    // to do gives its core away at once.
    explicit process_pool_wide(const options& o)
        : pool_("process_pool_wide", *o.memory, o.workers ? o.workers : width, std::chrono::nanoseconds(0)) {}

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

static_assert(runtime<process_pool_wide> && has_workers<process_pool_wide> &&
              verbs_are_explained<process_pool_wide>());

}  // namespace crossover

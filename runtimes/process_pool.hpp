// process_pool: one worker process per core, forked once, fed over shared memory. For work that computes.
#pragma once

#include "runtimes/processes/model.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

class process_pool : public processes::model {
  public:
    static constexpr std::string_view name = "process_pool";
    static constexpr engineering engineered = engineering::best;

    // Trees and uneven items want their helpers awake: a worker without work looks on for about as long as
    // waking it would take.
    explicit process_pool(const options& with)
        : model(name, with, with.cores, std::chrono::microseconds(20)) {}
};

static_assert(runtime<process_pool> && has_workers<process_pool> && verbs_are_explained<process_pool>());

}  // namespace crossover

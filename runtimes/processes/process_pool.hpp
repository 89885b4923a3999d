// process_pool: one worker process per core, forked once, fed over shared memory. For work that computes.
#pragma once

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/model.hpp"
#include "runtimes/scheduler/patience.hpp"

namespace crossover {

class process_pool : public processes::model {
  public:
    static constexpr std::string_view name = "process_pool";
    static constexpr engineering engineered = engineering::best;

    explicit process_pool(const options& settings) : model(name, settings, settings.cores, pool::look_on) {}
};

static_assert(runtime<process_pool> && has_workers<process_pool> && verbs_are_explained<process_pool>());

}  // namespace crossover

// process_pool_wide: more worker processes than cores, forked once, fed over shared memory. For work that
// waits.
#pragma once

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/model.hpp"
#include "runtimes/scheduler/patience.hpp"

namespace crossover {

class process_pool_wide : public processes::model {
  public:
    static constexpr std::string_view name = "process_pool_wide";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::size_t width = 32;

    explicit process_pool_wide(const options& settings)
        : model(name, settings, settings.workers ? settings.workers : width, pool::sleep_at_once) {}
};

static_assert(runtime<process_pool_wide> && has_workers<process_pool_wide> &&
              verbs_are_explained<process_pool_wide>());

}  // namespace crossover

// thread_pool_wide: 256 threads whatever the machine, made once. Wide enough to hold the waits of I/O-bound
// work.
#pragma once

#include "runtimes/contract/runtime.hpp"
#include "runtimes/scheduler/patience.hpp"
#include "runtimes/threads/model.hpp"

namespace crossover {

class thread_pool_wide : public pool::model {
  public:
    static constexpr std::string_view name = "thread_pool_wide";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::size_t width = 256;

    explicit thread_pool_wide(const options& settings)
        : model(settings.workers ? settings.workers : width, pool::sleep_at_once) {}
};

static_assert(runtime<thread_pool_wide> && verbs_are_explained<thread_pool_wide>());

}  // namespace crossover

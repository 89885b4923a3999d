// thread_pool: as many threads as cores, made once. A blocked item holds its thread, so it is for CPU work.
#pragma once

#include "runtimes/contract/runtime.hpp"
#include "runtimes/scheduler/patience.hpp"
#include "runtimes/threads/model.hpp"

namespace crossover {

class thread_pool : public pool::model {
  public:
    static constexpr std::string_view name = "thread_pool";
    static constexpr engineering engineered = engineering::best;

    explicit thread_pool(const options& settings) : model(settings.cores, pool::look_on) {}
};

static_assert(runtime<thread_pool> && verbs_are_explained<thread_pool>());

}  // namespace crossover

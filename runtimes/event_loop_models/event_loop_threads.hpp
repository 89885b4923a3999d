// event_loop_threads: the event loop with an executor of threads, for heavy work and blocking calls.
#pragma once

#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop_models/loop_executor.hpp"
#include "runtimes/event_loop_models/loop_model.hpp"
#include "runtimes/suspending/executor_threads.hpp"

namespace crossover {

// As event_loop. The executor is the library's, as asyncio's ThreadPoolExecutor: its threads start with the
// first calls.
class event_loop_threads : public looped::model<looped::executor_verbs> {
  public:
    static constexpr std::string_view name = "event_loop_threads";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb) { return ""; }

    explicit event_loop_threads(const options& settings)
        : model(context(executor_)), threads_(executor_threads(settings.cores)), executor_(threads_) {}

    resource_use resources() const { return {.executor_threads = threads_}; }

  private:
    std::size_t threads_;
    asyncio::thread_executor executor_;
};

static_assert(runtime<event_loop_threads> && verbs_are_explained<event_loop_threads>());

}  // namespace crossover

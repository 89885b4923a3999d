// event_loop_threads: the event loop with an executor of threads, to which heavy work and calls that block
// go.
#pragma once

#include "runtimes/event_loop/thread_executor.hpp"
#include "runtimes/executor_threads.hpp"
#include "runtimes/loop_executor.hpp"
#include "runtimes/loop_model.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// As event_loop. The executor is the library's, as asyncio's ThreadPoolExecutor: its threads start with the
// first calls.
class event_loop_threads : public looped::model<looped::executor_verbs> {
  public:
    static constexpr std::string_view name = "event_loop_threads";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view why_not(verb) { return ""; }

    explicit event_loop_threads(const options& with)
        : model(context(executor_)), threads_(executor_threads(with.cores)), executor_(threads_) {}

    resources held() const { return {.executor_threads = threads_}; }

  private:
    std::size_t threads_;
    asyncio::thread_executor executor_;
};

static_assert(runtime<event_loop_threads> && verbs_are_explained<event_loop_threads>());

}  // namespace crossover

// event_loop: each item is a coroutine of this project's event loop, all on one thread.
#pragma once

#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop_models/loop_model.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"

namespace crossover {

// One thread and nothing else, so it has no executor: asyncio's default executor is a pool of threads, and
// the loop with one is a model of its own, event_loop_threads.
class event_loop : public looped::model<looped::verbs> {
  public:
    static constexpr std::string_view name = "event_loop";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::offload:
                return one_thread;
            case verb::read:
                return "a file cannot be waited for in epoll, and there is no second thread to read it";
            default:
                return "";
        }
    }

    explicit event_loop(const options&) : model(context()) {}

    resource_use resources() const { return {}; }
};

static_assert(runtime<event_loop> && verbs_are_explained<event_loop>());

}  // namespace crossover

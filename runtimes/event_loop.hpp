// event_loop: each item is a coroutine of our own event loop, all on one thread.
#pragma once

#include "runtimes/loop_batch.hpp"
#include "runtimes/loop_verbs.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// One scheduled task = one job called from the loop's ready queue; if it suspends, it is a task of the loop
// from then on. One thread and nothing else, so it has no executor: asyncio's default executor is a pool of
// threads, and the loop with one is a model of its own, event_loop_threads.
class event_loop {
  public:
    class context : public looped::verbs {
      public:
        context() : verbs(nullptr) {}
        context(const context&, const stop_state* stop) : verbs(stop) {}

        inline looped::batch<context> run(std::size_t n, job<context> each, const void* batch, policy rules);
    };

    static constexpr std::string_view name = "event_loop";
    static constexpr std::string_view family = "event_loop";
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view why_not(verb v) {
        switch (v) {
            case verb::offload:
                return "has one thread only: see event_loop_threads and event_loop_processes";
            case verb::read:
                return "a file cannot be waited for in epoll, and there is no second thread to read it";
            default:
                return "";
        }
    }

    explicit event_loop(const options&) {}

    // A waiting task takes a few hundred bytes: memory is the limit, here of 4 GB.
    std::size_t at_once() const { return 10'000'000; }
    resources held() const { return {}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        loop_.run_until_complete(looped::whole_batch(n, each, batch, rules, context()));
    }

  private:
    asyncio::loop loop_;
};

looped::batch<event_loop::context> event_loop::context::run(std::size_t n, job<context> each,
                                                            const void* batch, policy rules) {
    check(stop());
    return looped::batch<context>(n, each, batch, rules, *this);
}

static_assert(runtime<event_loop> && verbs_are_explained<event_loop>());

}  // namespace crossover

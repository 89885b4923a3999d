// event_loop: each item is a coroutine of our own event loop, all on one thread.
#pragma once

#include <exception>

#include "runtimes/event_loop/job_batch.hpp"
#include "runtimes/loop_verbs.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// One scheduled task = one job called from the loop's ready queue; if it suspends, it is a task of the loop
// from then on.
class event_loop {
  public:
    class nested_batch;

    class context : public looped::verbs {
      public:
        explicit context(const stop_state* stop) : verbs(stop) {}

        using task = asyncio::coro<void>;
        template <class T>
        using async = asyncio::coro<T>;
        template <class T>
        using channel = looped::channel<T>;

        inline nested_batch run(std::size_t n, job<context> each, const void* batch, policy rules);
    };

    // A batch that a task of the loop awaits. Lies in the frame of that task.
    class [[nodiscard]] nested_batch {
      public:
        nested_batch(std::size_t n, job<context> each, const void* batch, const policy& rules,
                     const stop_state* outer)
            : each_(each),
              batch_(batch),
              state_(rules, outer),
              context_(state_.stop()),
              jobs_(n, rules.in_flight, &start, &ended, this) {}
        ~nested_batch() { alarm_.cancel(); }

        bool await_ready() const { return jobs_.await_ready(); }
        void await_suspend(std::coroutine_handle<> h);
        void await_resume() const;

      private:
        static asyncio::coro<void> start(void* self, std::size_t index);
        static void ended(void* self, std::size_t index, const std::exception_ptr& error);

        job<context> each_;
        const void* batch_;
        batch_state state_;
        context context_;
        asyncio::job_batch jobs_;
        asyncio::timer_handle alarm_;  // set if there is a deadline
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

    void run(std::size_t n, job<context> each, const void* batch, policy rules);

  private:
    asyncio::loop loop_;
};

event_loop::nested_batch event_loop::context::run(std::size_t n, job<context> each, const void* batch,
                                                  policy rules) {
    check(stop());
    return nested_batch(n, each, batch, rules, stop());
}

static_assert(runtime<event_loop> && verbs_are_explained<event_loop>());

}  // namespace crossover

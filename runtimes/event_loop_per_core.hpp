// event_loop_per_core: an event loop of our own on each core; each item is a coroutine of one of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "runtimes/event_loop/job_batch.hpp"
#include "runtimes/event_loop/thread_executor.hpp"
#include "runtimes/executor_threads.hpp"
#include "runtimes/handover/awaiting.hpp"
#include "runtimes/loop_executor.hpp"
#include "runtimes/loop_verbs.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// One scheduled task = one job called from the ready queue of its loop, as in event_loop. The loops share
// nothing but a batch's rules: item i belongs to loop i modulo their number from its start to its end, and so
// does all that it forks. Thus no queue has a lock, and a tree with one root uses one core. Semaphores and
// channels work across loops. The first loop runs on the thread that calls run(). The loops share one
// executor for calls that block.
class event_loop_per_core {
  public:
    class nested_batch;

    class context : public looped::verbs {
      public:
        context(asyncio::thread_executor& executor, const stop_state* stop)
            : verbs(stop), executor_(executor) {}

        using semaphore = handover::loop_semaphore;
        template <class T>
        using channel = handover::loop_channel<T>;

        inline nested_batch run(std::size_t n, job<context> each, const void* batch, policy rules);
        asyncio::coro<void> offload(void (*function)(void*), void* argument) {
            return looped::offload(executor_, stop(), function, argument);
        }
        asyncio::coro<std::size_t> read_file(const char* path, std::span<std::byte> into) {
            return looped::read_file(executor_, stop(), path, into);
        }

        asyncio::thread_executor& executor() const { return executor_; }

      private:
        asyncio::thread_executor& executor_;
    };

    // The items of one loop: every `step`-th from `first` on. Of that loop's thread.
    class part {
      public:
        part(batch_state& state, asyncio::thread_executor& executor, job<context> each, const void* data,
             std::size_t n, std::size_t in_flight, std::size_t first, std::size_t step)
            : state_(state),
              each_(each),
              data_(data),
              first_(first),
              step_(step),
              context_(executor, state.stop()),
              jobs_(n, in_flight, &start, &ended, this) {}
        virtual ~part() = default;

        bool await_ready() const { return jobs_.await_ready(); }
        void await_suspend(std::coroutine_handle<> h);
        void await_resume();

        void stop() { jobs_.stop(); }

      private:
        static asyncio::coro<void> start(void* self, std::size_t index);
        static void ended(void* self, std::size_t index, const std::exception_ptr& error);
        // One of its items has stopped the batch.
        virtual void stop_others() {}

        batch_state& state_;
        job<context> each_;
        const void* data_;
        std::size_t first_;
        std::size_t step_;
        context context_;
        asyncio::job_batch jobs_;
        asyncio::timer_handle alarm_;  // set if there is a deadline
    };

    // The batch of an item, which awaits it. Lies in the frame of that item.
    class [[nodiscard]] nested_batch {
      public:
        nested_batch(std::size_t n, job<context> each, const void* batch, const policy& rules,
                     const context& around)
            : state_(rules, around.stop()),
              items_(state_, around.executor(), each, batch, n, rules.in_flight, 0, 1) {}

        bool await_ready() const { return items_.await_ready(); }
        void await_suspend(std::coroutine_handle<> h) { items_.await_suspend(h); }
        void await_resume() {
            items_.await_resume();
            state_.finish();
        }

      private:
        batch_state state_;
        part items_;
    };

    static constexpr std::string_view name = "event_loop_per_core";
    static constexpr std::string_view family = "event_loop";
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view why_not(verb) { return ""; }

    explicit event_loop_per_core(const options& with);
    ~event_loop_per_core();
    event_loop_per_core(const event_loop_per_core&) = delete;
    event_loop_per_core& operator=(const event_loop_per_core&) = delete;

    // A waiting task takes a few hundred bytes: memory is the limit, here of 4 GB.
    std::size_t at_once() const { return 10'000'000; }
    resources held() const {
        return {.threads = loops_.size(), .executor_threads = executor_threads(loops_.size())};
    }

    void run(std::size_t n, job<context> each, const void* batch, policy rules);

  private:
    class spread_batch;
    class share;

    void stop_threads();

    std::vector<std::unique_ptr<asyncio::loop>> loops_;
    asyncio::thread_executor executor_;  // of all loops
    std::vector<std::thread> threads_;   // of all loops but the first
};

event_loop_per_core::nested_batch event_loop_per_core::context::run(std::size_t n, job<context> each,
                                                                    const void* batch, policy rules) {
    check(stop());
    return nested_batch(n, each, batch, rules, *this);
}

static_assert(runtime<event_loop_per_core> && verbs_are_explained<event_loop_per_core>());

}  // namespace crossover

// event_loop_threads: the event loop with an executor of threads, to which heavy work and calls that block
// go.
#pragma once

#include "runtimes/event_loop/thread_executor.hpp"
#include "runtimes/executor_threads.hpp"
#include "runtimes/loop_batch.hpp"
#include "runtimes/loop_executor.hpp"
#include "runtimes/loop_verbs.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// As event_loop. The executor is the library's, as asyncio's ThreadPoolExecutor: its threads start with the
// first calls.
class event_loop_threads {
  public:
    class context : public looped::verbs {
      public:
        explicit context(asyncio::thread_executor& executor) : verbs(nullptr), executor_(executor) {}
        context(const context& around, const stop_state* stop) : verbs(stop), executor_(around.executor_) {}

        inline looped::batch<context> run(std::size_t n, job<context> each, const void* batch, policy rules);
        asyncio::coro<void> offload(void (*function)(void*), void* argument) {
            return looped::offload(executor_, stop(), function, argument);
        }
        asyncio::coro<std::size_t> read_file(const char* path, std::span<std::byte> into) {
            return looped::read_file(executor_, stop(), path, into);
        }

      private:
        asyncio::thread_executor& executor_;
    };

    static constexpr std::string_view name = "event_loop_threads";
    static constexpr std::string_view family = "event_loop";
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view why_not(verb) { return ""; }

    explicit event_loop_threads(const options& with)
        : threads_(executor_threads(with.cores)), executor_(threads_) {}

    // A waiting task takes a few hundred bytes: memory is the limit, here of 4 GB.
    std::size_t at_once() const { return 10'000'000; }
    resources held() const { return {.executor_threads = threads_}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        loop_.run_until_complete(looped::whole_batch(n, each, batch, rules, context(executor_)));
    }

  private:
    std::size_t threads_;
    asyncio::loop loop_;
    asyncio::thread_executor executor_;
};

looped::batch<event_loop_threads::context> event_loop_threads::context::run(std::size_t n, job<context> each,
                                                                            const void* batch, policy rules) {
    check(stop());
    return looped::batch<context>(n, each, batch, rules, *this);
}

static_assert(runtime<event_loop_threads> && verbs_are_explained<event_loop_threads>());

}  // namespace crossover

// Offloading from an event loop to an executor with threads.
#pragma once

#include <cstddef>
#include <span>

#include "runtimes/contract/batch.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"
#include "runtimes/event_loop/tasks/future.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"

namespace crossover::looped {

// Waits for a call to its end also when the waiting task is cancelled, because a call that has begun uses the
// item's memory.
template <class T>
asyncio::coro<T> to_its_end(asyncio::future<T> call) {
    while (!call.done()) {
        auto shielded = asyncio::shield(call);
        try {
            co_await shielded;
        } catch (const asyncio::cancelled_error&) {
        }
    }
    co_return call.result();
}

// The verbs of a context that has an executor with threads.
class executor_verbs : public verbs {
  public:
    explicit executor_verbs(asyncio::thread_executor& executor) : executor_(executor) {}
    executor_verbs(const executor_verbs& as, const stop_state* stop)
        : verbs(as, stop), executor_(as.executor_) {}

    // Calls function(argument) in a thread of the executor; in none if the batch is stopped before its turn.
    asyncio::coro<void> offload(void (*function)(void*), void* argument);

    // Reads the first bytes of a file in a thread of the executor.
    asyncio::coro<std::size_t> read_file(const char* path, std::span<std::byte> into);

  private:
    asyncio::thread_executor& executor_;
};

}  // namespace crossover::looped

// Offloading from an event loop to an executor with threads.
#pragma once

#include <cstddef>
#include <span>

#include "runtimes/batch.hpp"
#include "runtimes/event_loop/coro.hpp"
#include "runtimes/event_loop/future.hpp"
#include "runtimes/event_loop/shield.hpp"
#include "runtimes/event_loop/thread_executor.hpp"

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

// Calls function(argument) in a thread of the executor; in none if `stop` is raised before its turn.
asyncio::coro<void> offload(asyncio::thread_executor& to, const stop_state* stop, void (*function)(void*),
                            void* argument);

// Reads the first bytes of a file in a thread of the executor.
asyncio::coro<std::size_t> read_file(asyncio::thread_executor& in, const stop_state* stop, const char* path,
                                     std::span<std::byte> into);

}  // namespace crossover::looped

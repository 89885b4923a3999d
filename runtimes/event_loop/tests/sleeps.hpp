// Coroutines that sleep: for a time, or for some iterations of the loop.
#pragma once

#include "runtimes/event_loop/sleep.hpp"

namespace crossover::asyncio {

inline coro<int> sleeps(std::chrono::nanoseconds time, int value) { co_return co_await sleep(time, value); }

inline coro<> steps(int n) {
    for (int i = 0; i < n; ++i) co_await sleep(std::chrono::nanoseconds(0));
}

}  // namespace crossover::asyncio

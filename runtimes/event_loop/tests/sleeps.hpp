// Coroutines that sleep: for a time, for some iterations of the loop, or until they are cancelled.
#pragma once

#include <gtest/gtest.h>

#include "runtimes/event_loop/loop/errors.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

namespace crossover::asyncio {

inline coro<int> sleeps(std::chrono::nanoseconds time, int value) { co_return co_await sleep(time, value); }

inline coro<> steps(int n) {
    for (int i = 0; i < n; ++i) co_await sleep(std::chrono::nanoseconds(0));
}

// And swallows the cancel.
inline coro<> sleeps_until_cancelled() {
    bool cancelled = false;
    try {
        co_await sleep(std::chrono::hours(1));
    } catch (const cancelled_error&) {
        cancelled = true;
    }
    EXPECT_TRUE(cancelled);
}

}  // namespace crossover::asyncio

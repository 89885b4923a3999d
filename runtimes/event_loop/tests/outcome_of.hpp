// What came out of a coroutine: its value, or the name of its exception.
#pragma once

#include <string>

#include "runtimes/event_loop/loop/errors.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

inline coro<std::string> outcome_of(coro<int> c) {
    try {
        const int value = co_await c;
        co_return std::to_string(value);
    } catch (const timeout_error&) {
        co_return "timeout";
    } catch (const cancelled_error&) {
        co_return "cancelled";
    } catch (const std::exception& e) {
        co_return e.what();
    }
}

}  // namespace crossover::asyncio

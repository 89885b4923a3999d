// What an expected exception says.
#pragma once

#include <string>

#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

template <class Error, class T>
coro<std::string> what_of(coro<T> c) {
    try {
        static_cast<void>(co_await c);
    } catch (const Error& e) {
        co_return e.what();
    }
    co_return "no error";
}

}  // namespace crossover::asyncio

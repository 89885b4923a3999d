// Rejects tasks and futures that gather(), wait() and similar functions cannot watch, before anything starts.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "runtimes/event_loop/tasks/future.hpp"

namespace crossover::asyncio {

// Throws std::invalid_argument. `who` is the function that was called.
inline void expect_future(const any_future& f, const char* who) {
    if (!f) throw std::invalid_argument(std::string(who) + ": a task or future is empty, or was moved from");
}
inline void expect_future_of(const loop& l, const any_future& f, const char* who) {
    expect_future(f, who);
    if (&f.get_loop() != &l)
        throw std::invalid_argument(std::string(who) +
                                    ": all tasks and futures must belong to the running loop");
}
template <class Future>
void expect_futures_of(const loop& l, const std::vector<Future>& all, const char* who) {
    for (const Future& f : all) expect_future_of(l, f, who);
}

}  // namespace crossover::asyncio

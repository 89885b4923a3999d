// run(): the entry point. Makes a loop, runs the main coroutine, cancels what is left and closes the loop.
#pragma once

#include <vector>

#include "runtimes/event_loop/task.hpp"

namespace crossover::asyncio {

// Cancels every task of a loop that is not running, and runs the loop until they have ended. What they throw
// is reported.
void cancel_leftovers(loop& l);

// Runs the loop until the calls that to_thread() has begun are over.
void finish_default_executor(loop& l);

// Returns what `main` returns or throws what it throws. Throws std::logic_error if a loop runs in this thread
// already.
template <class T>
T run(coro<T> main, const loop_options& options = {}) {
    if (running_loop)
        throw std::logic_error(
            "run() cannot be called from a running event loop: co_await the coroutine instead");
    loop l(options);
    struct scope {
        explicit scope(loop& made) : self(made) {}
        ~scope() {
            cancel_leftovers(self);
            finish_default_executor(self);
            self.close();
        }
        loop& self;
    } const scope(l);
    return l.run_until_complete(std::move(main));
}

}  // namespace crossover::asyncio

// run(): the entry point. Makes a loop, runs the main coroutine, cancels what is left and closes the loop.
#pragma once

#include <optional>
#include <vector>

#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

// Cancels every task of a loop that is not running, and runs the loop until they have ended. What they throw
// is reported.
void cancel_leftovers(loop& l);

// Runs the loop until the calls that to_thread() has begun are over.
void finish_default_executor(loop& l);

// Runs main coroutines one after the other in one loop and one context: what one sets the next finds. Belongs
// to one thread.
class runner {
  public:
    explicit runner(const loop_options& options = {}) : options_(options) {}
    runner(const runner&) = delete;
    runner& operator=(const runner&) = delete;
    // Closes it. A loop_exit that a task throws meanwhile is lost.
    ~runner();

    // Made when it is first asked for. Throws std::logic_error if the runner is closed.
    loop& get_loop();

    // Returns what `main` returns or throws what it throws. Tasks that it leaves go on in the next run.
    // Throws std::logic_error if the runner is closed or a loop runs in this thread already.
    template <class T>
    T run(coro<T> main) {
        return run(std::move(main), context_);
    }
    // In that context instead of the runner's own; what `main` sets is seen through it.
    template <class T>
    T run(coro<T> main, const context& in) {
        loop& l = idle_loop();
        return l.run_to_end(l.create_task(std::move(main), in), true);
    }

    // Cancels what is left, waits until it has ended and closes the loop. Closing twice does nothing.
    void close();

    // --- for run() ---
    loop& idle_loop();  // throws as run() does

  private:
    loop_options options_;
    std::optional<loop> loop_;
    context context_ = copy_context();
    bool closed_ = false;
};

// The same for one main coroutine. Throws std::logic_error if a loop runs in this thread already.
template <class T>
T run(coro<T> main, const loop_options& options = {}) {
    runner r(options);
    if constexpr (std::is_void_v<T>) {
        r.idle_loop().run_until_complete(std::move(main));
        r.close();
    } else {
        T result = r.idle_loop().run_until_complete(std::move(main));
        r.close();
        return result;
    }
}

}  // namespace crossover::asyncio

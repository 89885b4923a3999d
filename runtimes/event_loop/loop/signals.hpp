// Signals as callbacks of a loop, and Ctrl-C in run().
#pragma once

#include <csignal>
#include <functional>
#include <utility>

#include "runtimes/event_loop/loop/run.hpp"

namespace crossover::asyncio {

// Calls f() in the loop whenever the signal comes, also when the loop sleeps; signals that come faster than
// they are handled may be called for once. Replaces an earlier callback. One loop of the process handles a
// signal. Throws std::invalid_argument for a signal that cannot be caught, std::logic_error if another loop
// handles it.
void add_signal_handler(loop& l, int signal, std::function<void()> f);

// What the signal did before is restored. Returns whether there was a callback.
bool remove_signal_handler(loop& l, int signal);

// Ctrl-C while run_interruptible() runs, if the main coroutine did not deal with its cancellation.
class keyboard_interrupt final : public loop_exit {
  public:
    const char* what() const noexcept override { return "keyboard interrupt"; }
};

template <class T>
coro<T> until_interrupt(coro<T> main) {
    struct handling {
        handling() : owner(get_running_loop()), task(current_task()) {
            add_signal_handler(owner, SIGINT, [this] {
                if (std::exchange(interrupted, true)) throw keyboard_interrupt();
                task.cancel();
            });
        }
        ~handling() { remove_signal_handler(owner, SIGINT); }
        loop& owner;
        any_task task;
        bool interrupted = false;
    } handler;
    try {
        co_return co_await main;
    } catch (const cancelled_error&) {
        if (!handler.interrupted || handler.task.uncancel() != 0) throw;
    }
    throw keyboard_interrupt();
}

// As run(). The first SIGINT cancels the main task, and keyboard_interrupt comes out if it ends cancelled by
// nothing else; the second leaves the loop at once.
template <class T>
T run_interruptible(coro<T> main, const loop_options& options = {}) {
    return run(until_interrupt(std::move(main)), options);
}

}  // namespace crossover::asyncio

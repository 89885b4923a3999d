// How awaiters suspend a task, wake it, and throw a cancellation where it waits.
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <string>
#include <string_view>

#include "runtimes/event_loop/loop/loop.hpp"

namespace crossover::asyncio {

inline task_state& running_task() noexcept { return *running_loop->current(); }

// For a task that cancelled itself: out of its next wait, which has begun.
void cancel_out_of(task_state& t, pending& p);

// Notes where the task is to be resumed and how it can be cancelled out of there. Call last in await_suspend.
inline void park(task_state& t, std::coroutine_handle<> at, pending& p) {
    t.result.frame = at.address();
    t.awaiting = &p;
    if (t.result.has(flag::must_cancel)) [[unlikely]]
        cancel_out_of(t, p);
}

// Queues the task; its await goes on in the next iteration.
inline void wake(task_state& t) noexcept {
    t.awaiting = nullptr;
    t.result.owner->make_ready(t);
}

// For cancel(): makes the await throw.
inline void interrupt(task_state& t, std::string_view message) {
    t.result.set(flag::interrupted);
    if (!message.empty() || t.result.has(flag::noted))
        t.result.owner->notes_of(t.result).cancel_message = message;
}

// The same for awaiters whose await_resume() would only throw: a frame that catches nothing may be destroyed
// instead of being resumed.
inline void end_wait(task_state& t, std::string_view message) {
    interrupt(t, message);
    t.result.set(flag::wait_over);
}

// In debug mode throws std::logic_error if this is the thread of another loop, or of none.
inline constinit std::atomic<bool> debug_mode_was_used{false};
void check_thread_of(const outcome& o);
inline void check_thread(const outcome& o) {
    if (debug_mode_was_used.load(std::memory_order_relaxed)) [[unlikely]]
        check_thread_of(o);
}

// For describe(): ", made at file:line" if it was noted; "0.250 s".
void append_creation(std::string& text, const loop::notes& n);
std::string seconds_until(time_point when);

[[noreturn]] void throw_interrupt(task_state& t);
// What throw_interrupt() throws; null if it has no message.
std::exception_ptr pending_cancellation(const task_state& t);

// First thing in await_resume.
inline void check_interrupt(task_state& t) {
    if (t.result.take(flag::interrupted)) [[unlikely]]
        throw_interrupt(t);
}

// Reports an exception that nobody has looked at, when its last reference goes.
void report_unretrieved_or_noted(outcome& o) noexcept;
inline void report_unretrieved(outcome& o) noexcept {
    if (o.has(flag::unretrieved | flag::noted)) [[unlikely]]
        report_unretrieved_or_noted(o);
}

}  // namespace crossover::asyncio

// timeout(), timeout_at(), wait_for(): a bound on the time of what runs inside.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "runtimes/event_loop/combinators/wait.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

// The running task is cancelled at the deadline, and the cancellation becomes a timeout_error where the scope
// ends. Made by timeout(); the body may move its deadline. An exception cannot be exchanged by a destructor,
// so the scope is a function around its body.
class timeout_scope {
  public:
    explicit timeout_scope(std::optional<time_point> deadline) : deadline_(deadline) {}
    timeout_scope(const timeout_scope&) = delete;
    timeout_scope& operator=(const timeout_scope&) = delete;
    ~timeout_scope() { alarm_.cancel(); }

    // Empty: no timeout.
    std::optional<time_point> when() const noexcept { return deadline_; }
    // Empty: none any more; a past one: at the next iteration. Throws std::logic_error before the scope is
    // entered, and once it is expiring or has ended.
    void reschedule(std::optional<time_point> deadline);
    bool expired() const noexcept { return state_ == state::expiring || state_ == state::expired; }

    // In the task whose time is bounded.
    void enter();
    // The body ended well.
    void leave();
    // The body threw this: throws timeout_error instead if it is the cancellation by this scope, else throws
    // it again.
    [[noreturn]] void leave(const std::exception_ptr& thrown);

  private:
    enum class state { created, entered, expiring, expired, exited };
    void expire();
    // Whether no cancellation but this scope's own was requested.
    bool end();

    std::optional<time_point> deadline_;
    state state_ = state::created;
    any_task task_;
    unsigned cancelling_ = 0;
    timer_handle alarm_;
    handle soon_;
};

template <class Body>
using body_coro = std::invoke_result_t<Body&, timeout_scope&>;

template <class T>
coro<T> run_within(timeout_scope& scope, coro<T> body) {
    scope.enter();
    std::exception_ptr thrown;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await body;
            scope.leave();
            co_return;
        } else {
            T result = co_await body;
            scope.leave();
            co_return std::forward<T>(result);
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    scope.leave(thrown);
}

// Runs the body in this task, without another one. Throws timeout_error if it is cancelled by the deadline;
// what the body makes of the cancellation is respected: it may return a value or throw something else.
template <class T>
coro<T> timeout_at(std::optional<time_point> deadline, coro<T> body) {
    timeout_scope scope(deadline);
    co_return co_await run_within(scope, std::move(body));
}
// The body is called with the scope: coro<T> body(timeout_scope&).
template <class Body>
requires std::is_invocable_v<Body&, timeout_scope&> body_coro<Body> timeout_at(
    std::optional<time_point> deadline, Body body) {
    timeout_scope scope(deadline);
    co_return co_await run_within(scope, body(scope));
}
// A bound on the time, empty for none.
inline std::optional<std::chrono::nanoseconds> bound_of(std::nullopt_t) { return std::nullopt; }
template <class Rep, class Period>
std::optional<std::chrono::nanoseconds> bound_of(std::chrono::duration<Rep, Period> time) {
    return loop::nanoseconds_of(time);
}
template <class Rep, class Period>
std::optional<std::chrono::nanoseconds> bound_of(std::optional<std::chrono::duration<Rep, Period>> time) {
    if (!time) return std::nullopt;
    return loop::nanoseconds_of(*time);
}

// What a bound may be given as: a duration, std::nullopt, or an optional duration.
template <class Time>
concept time_bound = requires(Time t) {
    bound_of(t);
};

template <time_bound Time>
std::optional<time_point> deadline_of(Time time) {
    const std::optional<std::chrono::nanoseconds> bound = bound_of(time);
    if (!bound) return std::nullopt;
    return loop::deadline_after(*bound);
}

template <time_bound Time, class T>
coro<T> timeout(Time delay, coro<T> body) {
    return timeout_at(deadline_of(delay), std::move(body));
}
template <time_bound Time, class Body>
requires std::is_invocable_v<Body&, timeout_scope&> body_coro<Body> timeout(Time delay, Body body) {
    return timeout_at(deadline_of(delay), std::move(body));
}
template <time_bound Time, awaiter A>
auto timeout(Time delay, A body) {
    return timeout(delay, as_coro(std::move(body)));
}

template <time_bound Time>
bool no_time_at_all(Time time) {
    const std::optional<std::chrono::nanoseconds> bound = bound_of(time);
    return bound && bound->count() <= 0;
}

template <class Future>
coro<typename Future::value_type> result_in_no_time(Future what) {
    if (!what.done()) {
        const std::vector<Future> only(1, what);
        what.cancel();
        // Not awaited itself: a cancellation of the waiter is not to wait for it, nor to cancel it again.
        static_cast<void>(co_await wait(only));
        if (what.cancelled()) throw timeout_error();
    }
    co_return co_await std::move(what);
}

template <class Future>
coro<typename Future::value_type> await_it(Future what) {
    co_return co_await std::move(what);
}

// The result of a coroutine, task or future in time. Otherwise cancels it, waits until it has really ended,
// and throws timeout_error. A coroutine runs in this very task. With no time at all a coroutine is not
// started, and what is done already gives its result.
template <class T, time_bound Time>
coro<T> wait_for(coro<T> what, Time time) {
    if (no_time_at_all(time)) {
        task<T> never_started = create_task(std::move(what));
        co_return co_await result_in_no_time(std::move(never_started));
    }
    co_return co_await timeout(time, std::move(what));
}
template <class Future, time_bound Time>
requires std::derived_from<Future, any_future> coro<typename Future::value_type> wait_for(Future what,
                                                                                          Time time) {
    expect_future(what, "wait_for");
    if (!what.done()) expect_future_of(get_running_loop(), what, "wait_for");
    if (what.done() || no_time_at_all(time)) co_return co_await result_in_no_time(std::move(what));
    co_return co_await timeout(time, await_it(std::move(what)));
}
template <awaiter A, time_bound Time>
auto wait_for(A what, Time time) {
    return wait_for(as_coro(std::move(what)), time);
}

}  // namespace crossover::asyncio

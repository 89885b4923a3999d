// nothrow_cancel: coroutines that catch nothing are destroyed when they are cancelled, which costs a fraction
// of throwing through them.
#pragma once

#include <coroutine>
#include <type_traits>
#include <utility>

#include "runtimes/event_loop/loop/waiting.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

// A coroutine whose first parameter is of this type (after the object, for members and lambdas) promises that
// it catches no cancelled_error: `coro<int> work(nothrow_cancel_t, int n)`, called as work(nothrow_cancel,
// n). When the task is cancelled while such a coroutine waits, its frame and those of its callers of the same
// kind are destroyed, innermost first: destructors run, catch blocks do not. The first caller of the ordinary
// kind sees cancelled_error thrown as ever; without one the task ends cancelled and nothing is thrown at all.
// A cancel that finds the awaited thing done already, one with a message that an awaited task was given, and
// one of a wait for a lock are thrown through such frames too, to the same effect.
struct nothrow_cancel_t {
    explicit nothrow_cancel_t() = default;
};
inline constexpr nothrow_cancel_t nothrow_cancel{};

// Notes in the task that the frame which waits may be destroyed.
template <class Awaiter>
class droppable_wait {
  public:
    template <class Awaitable>
    explicit droppable_wait(Awaitable&& what, bool) : awaiter_(static_cast<Awaitable&&>(what)) {}
    template <class Awaitable>
    explicit droppable_wait(Awaitable&& what)
        : awaiter_(static_cast<Awaitable&&>(what).operator co_await()) {}

    bool await_ready() { return awaiter_.await_ready(); }
    bool await_suspend(std::coroutine_handle<> h) {
        if constexpr (std::is_void_v<decltype(awaiter_.await_suspend(h))>)
            awaiter_.await_suspend(h);
        else if (!awaiter_.await_suspend(h))
            return false;
        running_task().result.set(flag::catchless);
        return true;
    }
    decltype(auto) await_resume() { return awaiter_.await_resume(); }

  private:
    Awaiter awaiter_;
};

template <class>
inline constexpr bool is_coro = false;
template <class T>
inline constexpr bool is_coro<coro<T>> = true;

template <class T>
class nothrow_cancel_promise : public returning_promise<T, nothrow_cancel_promise<T>> {
  public:
    template <class Awaitable>
    auto await_transform(Awaitable&& what) const {
        if constexpr (is_coro<std::remove_cvref_t<Awaitable>>) {
            // A child notes in its own frame that whoever awaits it catches nothing.
            what.set_parent_catchless();
            return what.operator co_await();
        } else if constexpr (requires { static_cast<Awaitable&&>(what).operator co_await(); }) {
            using awaiter = decltype(static_cast<Awaitable&&>(what).operator co_await());
            return droppable_wait<awaiter>(static_cast<Awaitable&&>(what));
        } else {
            return droppable_wait<Awaitable&>(what, true);
        }
    }
};

}  // namespace crossover::asyncio

template <class T, class... Args>
struct std::coroutine_traits<crossover::asyncio::coro<T>, crossover::asyncio::nothrow_cancel_t, Args...> {
    using promise_type = crossover::asyncio::nothrow_cancel_promise<T>;
};
template <class T, class Object, class... Args>
struct std::coroutine_traits<crossover::asyncio::coro<T>, Object, crossover::asyncio::nothrow_cancel_t,
                             Args...> {
    using promise_type = crossover::asyncio::nothrow_cancel_promise<T>;
};

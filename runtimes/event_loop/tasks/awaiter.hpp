// awaiter: what sleep(), queue.get() and similar functions return, and how it runs as a coroutine of its own.
#pragma once

#include <concepts>
#include <coroutine>
#include <utility>

#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

// May be moved as long as it has not been awaited.
template <class A>
concept awaiter = std::move_constructible<A> && requires(A& a, std::coroutine_handle<> h) {
    a.await_ready();
    a.await_suspend(h);
    a.await_resume();
};

// So that wait_for(e.wait(), 1s) or gather(sleep(1s), sleep(2s)) can be written.
template <awaiter A>
coro<decltype(std::declval<A&>().await_resume())> as_coro(A what) {
    co_return co_await what;
}

}  // namespace crossover::asyncio

// shield(): lets the waiter be cancelled without what it waits for.
#pragma once

#include "runtimes/event_loop/notice.hpp"
#include "runtimes/event_loop/task.hpp"

namespace crossover::asyncio {

// A future that ends as the inner one does. Cancelling it leaves the inner one running; cancelling the inner
// one cancels it. A coroutine becomes a task; hold that task yourself if the result is to be had after a
// cancellation. The result is copied.
template <class Awaitable>
auto shield(Awaitable what, std::source_location at = std::source_location::current()) {
    loop& l = get_running_loop();
    auto inner = as_future(l, std::move(what), at);
    using T = typename decltype(inner)::value_type;
    static_assert(std::is_void_v<T> || std::is_reference_v<T> || std::is_copy_constructible_v<T>,
                  "shield() copies the result: return a shared_ptr instead");

    if (inner.done()) return future<T>(inner.raw());
    future<T> outer(inner.get_loop(), at);
    // The notice holds the outer future until it has told.
    ++outer.raw().refs;
    notice::attach(
        inner.raw(),
        [](void* to, notice&, outcome& from) {
            const future<T> target(*static_cast<outcome*>(to));
            release(target.raw());
            if (target.done()) return;
            if (from.state == phase::failed) {
                from.clear(flag::unretrieved);
                target.set_exception(from.get_error());
            } else if (from.state != phase::finished) {
                target.cancel();
            } else if constexpr (std::is_void_v<T>) {
                target.set_result();
            } else if constexpr (std::is_reference_v<T>) {
                target.set_result(*value_of<T>::in(from));
            } else {
                target.set_result(value_of<T>::in(from));
            }
        },
        &outer.raw());
    return outer;
}

}  // namespace crossover::asyncio

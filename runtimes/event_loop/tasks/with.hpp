// with(): a resource that is acquired before a body runs and released after it, whatever happens: async with.
#pragma once

#include <concepts>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

// enter() acquires; leave(thrown) releases, and is told what the body threw, null if it ended well. Awaiting
// is not allowed in a catch block nor in a destructor, hence the function form.
template <class R>
concept async_resource = requires(R& r, std::exception_ptr e) {
    { r.enter() } -> std::same_as<coro<void>>;
    { r.leave(e) } -> std::same_as<coro<void>>;
};

// What the body's coroutine returns or throws comes out after the release; what leave() throws replaces it. A
// cancelled body is released like any other.
template <async_resource R, class Body>
requires std::is_invocable_v<Body&, R&> std::invoke_result_t<Body&, R&> with(R& resource, Body body) {
    using value = typename std::invoke_result_t<Body&, R&>::value_type;
    static_assert(!std::is_reference_v<value>, "return a pointer");
    co_await resource.enter();
    std::exception_ptr thrown;
    std::conditional_t<std::is_void_v<value>, no_value, std::optional<value>> result;
    try {
        if constexpr (std::is_void_v<value>)
            co_await body(resource);
        else
            result.emplace(co_await body(resource));
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await resource.leave(thrown);
    if (thrown) std::rethrow_exception(thrown);
    if constexpr (!std::is_void_v<value>) co_return std::move(*result);
}

}  // namespace crossover::asyncio

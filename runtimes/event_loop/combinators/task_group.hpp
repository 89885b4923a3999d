// task_group: tasks that live and fail together.
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtimes/event_loop/combinators/exception_group.hpp"
#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/loop/notice.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

// Used through with(group, body): runs the body, then waits for all children. The first failure, of a child
// or of the body, cancels the others and the body; all failures come out as one exception_group. A child that
// is cancelled is no failure.
class task_group {
  public:
    task_group() = default;
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group();

    // Throws std::logic_error before the group is entered, after it is finished and while it is shutting
    // down; the coroutine is destroyed then.
    template <class T>
    task<T> create_task(coro<T> what, std::string name = {},
                        std::source_location at = std::source_location::current()) {
        check_open();
        task<T> t = get_running_loop().create_task(std::move(what), std::move(name), at);
        adopt(t);
        return t;
    }
    // In that context itself, not in a copy.
    template <class T, std::same_as<context> C>
    task<T> create_task(coro<T> what, const C& in,
                        std::source_location at = std::source_location::current()) {
        check_open();
        task<T> t = asyncio::create_task(std::move(what), in, at);
        adopt(t);
        return t;
    }
    template <awaiter A>
    auto create_task(A what, std::source_location at = std::source_location::current()) {
        return create_task(as_coro(std::move(what)), std::string(), at);
    }

    // --- for with() ---
    void enter();
    // Waits for the children, then throws the errors of the group, if there are any; null if the body ended
    // well.
    coro<void> leave(std::exception_ptr thrown_by_body);

  private:
    void check_open() const;
    void adopt(const any_task& t);
    void abort();
    static void on_child_end(void* owner, notice& n, outcome& o);

    bool entered_ = false;
    bool exiting_ = false;
    bool aborting_ = false;
    bool parent_cancel_requested_ = false;
    any_task parent_;
    std::vector<std::exception_ptr> errors_;
    std::exception_ptr base_error_;  // a loop_exit, which comes out bare
    struct child {
        task_state* state;
        notice* end;
    };
    std::map<std::size_t, child> children_;  // those that have not ended, in the order of their creation
    std::size_t created_ = 0;
    future<void> all_ended_;
};

// What the body's coroutine returns comes out if the group ends well.
template <class Body>
requires std::is_invocable_v<Body&, task_group&> std::invoke_result_t<Body&, task_group&> with(
    task_group& group, Body body) {
    using value = typename std::invoke_result_t<Body&, task_group&>::value_type;
    group.enter();
    std::exception_ptr thrown;
    std::conditional_t<std::is_void_v<value>, no_value, std::optional<value>> result;
    try {
        if constexpr (std::is_void_v<value>)
            co_await body(group);
        else
            result.emplace(co_await body(group));
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await group.leave(thrown);
    if constexpr (!std::is_void_v<value>) co_return std::move(*result);
}

}  // namespace crossover::asyncio

// gather(): runs several at once and gives their results in the order of the arguments.
#pragma once

#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "runtimes/event_loop/combinators/expect_futures.hpp"
#include "runtimes/event_loop/loop/notice.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

struct return_exceptions_t {
    explicit return_exceptions_t() = default;
};
// First argument of gather(): failures and cancellations come as values, in their places.
inline constexpr return_exceptions_t return_exceptions{};

template <class T>
using value_or_monostate = std::conditional_t<std::is_void_v<T>, std::monostate, std::decay_t<T>>;

// Moved out only if it cannot be copied.
template <class T>
value_or_monostate<T> gathered_value(const any_future& from) {
    outcome& o = from.raw();
    if constexpr (std::is_void_v<T>) {
        return std::monostate();
    } else if constexpr (std::is_reference_v<T>) {
        return *value_of<T>::in(o);
    } else if constexpr (std::is_copy_constructible_v<T>) {
        return value_of<T>::in(o);
    } else {
        return std::move(value_of<T>::in(o));
    }
}

// A result or an exception, as gather(return_exceptions, ...) gives them.
template <class T>
class settled {
  public:
    explicit settled(const any_future& from) {
        outcome& o = from.raw();
        if (o.state == phase::finished) {
            value_.emplace(gathered_value<T>(from));
            return;
        }
        o.clear(flag::unretrieved);
        error_ = o.get_error() ? o.get_error() : std::make_exception_ptr(cancelled_error());
    }

    bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    // Throws the exception if there is no value.
    const value_or_monostate<T>& value() const {
        if (error_) std::rethrow_exception(error_);
        return *value_;
    }
    // Null if there is a value.
    const std::exception_ptr& exception() const noexcept { return error_; }

  private:
    std::optional<value_or_monostate<T>> value_;
    std::exception_ptr error_;
};

// The bookkeeping behind one gather(); lives until all children have ended, for their exceptions count as
// looked at.
class gathering final : public pending, public completion {
  public:
    // Sets the result of the outer future from the children.
    using collect_function = void (*)(outcome& outer, const std::vector<any_future>& children);

    static void begin(outcome& outer, std::vector<any_future> children, bool exceptions_are_values,
                      collect_function collect);

  private:
    gathering(outcome& outer, std::vector<any_future> children, bool exceptions_are_values,
              collect_function collect)
        : completion(&on_outer_end),
          outer_(&outer),
          children_(std::move(children)),
          collect_(collect),
          exceptions_are_values_(exceptions_are_values) {}

    bool cancel(task_state& outer, std::string_view message) override;
    std::string describe() const override;
    static void on_outer_end(completion& c, outcome& outer);
    static void on_child_end(void* owner, notice& n, outcome& child);
    void child_ended(outcome& child);
    // Nobody needs their results, and futures that nobody can complete any more would be kept forever. May
    // be the end of this object.
    void drop_children();

    outcome* outer_;  // null once it is done or nobody holds it
    std::vector<any_future> children_;
    std::size_t unfinished_ = 0;
    collect_function collect_;
    bool exceptions_are_values_;
    bool cancel_requested_ = false;
};

template <class R>
future<R> begin_gathering(loop& l, std::vector<any_future> children, bool exceptions_are_values,
                          gathering::collect_function collect) {
    future<R> outer(l);
    gathering::begin(outer.raw(), std::move(children), exceptions_are_values, collect);
    return outer;
}

template <class Awaitable>
using result_type =
    typename decltype(as_future(std::declval<loop&>(), std::declval<Awaitable>()))::value_type;

template <class... Ts, std::size_t... I>
void collect_tuple(outcome& outer, const std::vector<any_future>& children, std::index_sequence<I...>) {
    using result = std::tuple<value_or_monostate<Ts>...>;
    future<result>(outer).set_result(result(gathered_value<Ts>(children[I])...));
}
template <class... Ts, std::size_t... I>
void collect_settled_tuple(outcome& outer, const std::vector<any_future>& children,
                           std::index_sequence<I...>) {
    using result = std::tuple<settled<Ts>...>;
    future<result>(outer).set_result(result(settled<Ts>(children[I])...));
}

// First of all of them, so that a gather() which is refused has made no task of the others.
template <class Awaitable>
void expect_gatherable(const loop& l, const Awaitable& what) {
    if constexpr (std::is_base_of_v<any_future, Awaitable>) expect_future_of(l, what, "gather");
}

template <class... Awaitables>
std::vector<any_future> as_children(loop& l, Awaitables&&... what) {
    (expect_gatherable(l, what), ...);
    std::vector<any_future> children;
    children.reserve(sizeof...(what));
    (children.push_back(as_future(l, std::forward<Awaitables>(what))), ...);
    return children;
}

template <class A>
concept gatherable = requires {
    typename result_type<A>;
};

// The future of a tuple of the results; std::monostate stands for void. Coroutines become tasks at once. The
// first exception comes out at once, and the others run on. Cancelling the future cancels all children, and
// it ends when they have. Throws std::invalid_argument for a task or future that is empty
// or of another loop.
template <gatherable... Awaitables>
future<std::tuple<value_or_monostate<result_type<Awaitables>>...>> gather(Awaitables&&... what) {
    loop& l = get_running_loop();
    return begin_gathering<std::tuple<value_or_monostate<result_type<Awaitables>>...>>(
        l, as_children(l, std::forward<Awaitables>(what)...), false,
        [](outcome& outer, const std::vector<any_future>& children) {
            collect_tuple<result_type<Awaitables>...>(outer, children,
                                                      std::index_sequence_for<Awaitables...>());
        });
}
template <gatherable... Awaitables>
future<std::tuple<settled<result_type<Awaitables>>...>> gather(return_exceptions_t, Awaitables&&... what) {
    loop& l = get_running_loop();
    return begin_gathering<std::tuple<settled<result_type<Awaitables>>...>>(
        l, as_children(l, std::forward<Awaitables>(what)...), true,
        [](outcome& outer, const std::vector<any_future>& children) {
            collect_settled_tuple<result_type<Awaitables>...>(outer, children,
                                                              std::index_sequence_for<Awaitables...>());
        });
}

template <class Awaitable>
std::vector<any_future> as_futures(loop& l, std::vector<Awaitable>&& what, const std::source_location& at) {
    for (const Awaitable& a : what) expect_gatherable(l, a);
    std::vector<any_future> children;
    children.reserve(what.size());
    for (Awaitable& a : what) children.push_back(as_future(l, std::move(a), at));
    return children;
}

// The same for any number of one type; the result is a vector.
template <gatherable Awaitable>
future<std::vector<value_or_monostate<result_type<Awaitable>>>> gather(
    std::vector<Awaitable> what, std::source_location at = std::source_location::current()) {
    using value = value_or_monostate<result_type<Awaitable>>;
    loop& l = get_running_loop();
    return begin_gathering<std::vector<value>>(
        l, as_futures(l, std::move(what), at), false,
        [](outcome& outer, const std::vector<any_future>& children) {
            std::vector<value> results;
            results.reserve(children.size());
            for (const any_future& c : children) results.push_back(gathered_value<result_type<Awaitable>>(c));
            future<std::vector<value>>(outer).set_result(std::move(results));
        });
}
template <gatherable Awaitable>
future<std::vector<settled<result_type<Awaitable>>>> gather(
    return_exceptions_t, std::vector<Awaitable> what,
    std::source_location at = std::source_location::current()) {
    using value = settled<result_type<Awaitable>>;
    loop& l = get_running_loop();
    return begin_gathering<std::vector<value>>(
        l, as_futures(l, std::move(what), at), true,
        [](outcome& outer, const std::vector<any_future>& children) {
            std::vector<value> results;
            results.reserve(children.size());
            for (const any_future& c : children) results.emplace_back(c);
            future<std::vector<value>>(outer).set_result(std::move(results));
        });
}

}  // namespace crossover::asyncio

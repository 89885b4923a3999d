// shield(): a cancel reaches the waiter but not what it waits for.
#pragma once

#include <memory>

#include "runtimes/event_loop/combinators/expect_futures.hpp"
#include "runtimes/event_loop/loop/notice.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

// Stands between the two futures until one of them has ended. Keeps the outer one.
template <class T>
class shielding final : completion {
  public:
    static void begin(outcome& inner, const future<T>& outer) {
        auto* const self = new shielding(outer);
        subscribe(outer.raw(), *self);
        self->inner_ = notice::attach(inner, &on_inner_end, self);
    }

  private:
    explicit shielding(const future<T>& outer) : completion(&on_outer_end), outer_(outer) {}

    static void on_outer_end(completion& c, outcome&) {
        const std::unique_ptr<shielding> self(&static_cast<shielding&>(c));
        if (self->inner_) self->inner_->drop();
    }
    static void on_inner_end(void* owner, notice&, outcome& from) {
        auto& self = *static_cast<shielding*>(owner);
        self.inner_ = nullptr;
        const future<T> target = self.outer_;  // whose end is the end of this object
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
    }

    future<T> outer_;
    notice* inner_ = nullptr;  // null: it has told
};

// A future that ends as the inner one does. Cancelling it leaves the inner one running; cancelling the inner
// one cancels it. A coroutine becomes a task; hold that task yourself if the result is to be had after a
// cancellation. The result is copied. Throws std::invalid_argument for an empty task or future.
template <class Awaitable>
auto shield(Awaitable what, std::source_location at = std::source_location::current()) {
    loop& l = get_running_loop();
    auto inner = as_future(l, std::move(what), at);
    expect_future(inner, "shield");
    using T = typename decltype(inner)::value_type;
    static_assert(std::is_void_v<T> || std::is_reference_v<T> || std::is_copy_constructible_v<T>,
                  "shield() copies the result: return a shared_ptr instead");

    if (inner.done()) return future<T>(inner.raw());
    future<T> outer(inner.get_loop(), at);
    shielding<T>::begin(inner.raw(), outer);
    return outer;
}

}  // namespace crossover::asyncio

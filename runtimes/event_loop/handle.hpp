// A callback that waits in the loop's queues, and the handle that can take it back.
#pragma once

#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>

#include "runtimes/event_loop/frame_pool.hpp"
#include "runtimes/event_loop/timer_heap.hpp"

namespace crossover::asyncio {

class loop;

struct callback : node {
    enum class action { call, drop_function, free };
    using function = void (*)(callback&, action);

    explicit callback(function f) noexcept : node(&callback::run_node), act(f) {}

    // The loop's reference, and that of each handle.
    static void run_node(
        node& n);  // calls unless cancelled, reports what it throws, gives up the loop's reference
    void release() noexcept {
        if (--refs != 0) return;
        if (!cancelled && !called) act(*this, action::drop_function);
        act(*this, action::free);
    }
    void cancel() noexcept {
        if (std::exchange(cancelled, true) || called) return;
        act(*this, action::drop_function);
    }

    function act;
    std::uint32_t refs = 1;
    bool cancelled = false;
    bool called = false;
};

struct timed_callback : callback {
    explicit timed_callback(function f) noexcept : callback(f) { alarm.fires = this; }
    loop* owner = nullptr;
    timer alarm;
    time_point when{};
};

// A callable with its arguments, behind either of the two.
template <class Base, class F>
struct bound_callback final : Base {
    explicit bound_callback(F f) : Base(&bound_callback::perform), function_space(std::move(f)) {}
    ~bound_callback() {}

    static void perform(callback& c, callback::action what) {
        auto& self = static_cast<bound_callback&>(c);
        switch (what) {
            case callback::action::call:
                self.function_space();
                break;
            case callback::action::drop_function:
                self.function_space.~F();
                break;
            case callback::action::free:
                self.~bound_callback();
                frame_pool::release(&self, sizeof(bound_callback));
                break;
        }
    }

    union {
        F function_space;
    };
};

template <class F, class... Args>
auto bind_arguments(F&& f, Args&&... args) {
    if constexpr (sizeof...(Args) == 0)
        return std::decay_t<F>(std::forward<F>(f));
    else
        return [f = std::decay_t<F>(std::forward<F>(f)),
                args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable {
            std::apply([&](auto&... a) { std::invoke(f, std::move(a)...); }, args);
        };
}

template <class Base, class F>
bound_callback<Base, F>* make_callback(F f) {
    using type = bound_callback<Base, F>;
    void* const at = frame_pool::allocate(sizeof(type));
    return ::new (at) type(std::move(f));
}

// What call_soon() returns; shares the callback with the loop. Belongs to the loop's thread.
class handle {
  public:
    handle() = default;
    explicit handle(callback& c) noexcept : callback_(&c) { ++c.refs; }
    handle(const handle& other) noexcept : callback_(other.callback_) {
        if (callback_) ++callback_->refs;
    }
    handle(handle&& other) noexcept : callback_(std::exchange(other.callback_, nullptr)) {}
    handle& operator=(handle other) noexcept {
        std::swap(callback_, other.callback_);
        return *this;
    }
    ~handle() {
        if (callback_) callback_->release();
    }

    // The callback will not be called, and what it has captured is destroyed now. No effect once it has been
    // called.
    void cancel() noexcept {
        if (callback_) callback_->cancel();
    }
    bool cancelled() const noexcept { return callback_ && callback_->cancelled; }

  protected:
    callback* callback_ = nullptr;
};

// What call_later() and call_at() return.
class timer_handle : public handle {
  public:
    timer_handle() = default;
    explicit timer_handle(timed_callback& c) noexcept : handle(c) {}

    time_point when() const noexcept {
        return callback_ ? static_cast<timed_callback*>(callback_)->when : time_point{};
    }
    // As handle::cancel(), and the timer leaves the heap.
    void cancel() noexcept;
};

}  // namespace crossover::asyncio

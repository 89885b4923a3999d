// A callback in the loop's queues, and the handle that can cancel it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <typeinfo>
#include <utility>

#include "runtimes/system/frame_pool.hpp"
#include "runtimes/system/timer_heap.hpp"

namespace crossover::asyncio {

class loop;

struct callback : node {
    enum class action { call, drop_function, free };
    // What can be done with one kind of function.
    struct kind {
        void (*act)(callback&, action);
        const std::type_info& function;  // as given to call_soon()
    };

    explicit callback(const kind& k) noexcept : node(&callback::run_node), of_kind(k) {}

    // The loop's reference, and that of each handle.
    static void run_node(
        node& n);  // calls unless cancelled, reports what it throws, gives up the loop's reference
    void release() noexcept {
        if (--refs != 0) return;
        if (!cancelled && !called) of_kind.act(*this, action::drop_function);
        of_kind.act(*this, action::free);
    }
    void cancel() noexcept {
        if (std::exchange(cancelled, true) || called) return;
        of_kind.act(*this, action::drop_function);
    }

    const kind& of_kind;
    std::uint32_t refs = 1;
    bool cancelled = false;
    bool called = false;
};

struct timed_callback : callback {
    using callback::callback;
    loop* owner = nullptr;
    time_point when{};
};

// A callable with its arguments, behind either of the two; Given is the callable without them.
template <class Base, class Given, class F>
struct bound_callback final : Base {
    explicit bound_callback(F f) : Base(own_kind), function_space(std::move(f)) {}
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

    static constexpr callback::kind own_kind{&bound_callback::perform, typeid(Given)};

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

template <class Base, class Given, class F>
bound_callback<Base, Given, F>* make_callback(F f) {
    using type = bound_callback<Base, Given, F>;
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

// What call_soon_threadsafe() returns. May be used in any thread, and outlive the loop.
class threadsafe_handle {
  public:
    threadsafe_handle() = default;
    explicit threadsafe_handle(std::shared_ptr<std::atomic<bool>> cancelled) noexcept
        : cancelled_(std::move(cancelled)) {}

    // The callback will not be called, unless that has begun; what it has captured is destroyed in the loop's
    // thread, when its turn comes.
    void cancel() noexcept {
        if (cancelled_) cancelled_->store(true);
    }
    bool cancelled() const noexcept { return cancelled_ && cancelled_->load(); }

  private:
    std::shared_ptr<std::atomic<bool>> cancelled_;
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

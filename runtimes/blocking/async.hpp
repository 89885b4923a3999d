// The coroutine type of blocking models: what it awaits blocks its thread, so it never suspends and runs to
// its end.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "runtimes/blocking/frames.hpp"

namespace crossover::blocking {

// What a blocking verb returns: a value that is already there.
template <class T = void>
class [[nodiscard]] ready {
  public:
    static constexpr bool never_suspends = true;

    explicit ready(T value) : value_(std::move(value)) {}
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    T await_resume() { return std::move(value_); }

  private:
    T value_;
};

template <>
class ready<void> {
  public:
    static constexpr bool never_suspends = true;

    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}
};

template <class T, class Frames>
class async;

namespace detail {

template <class Frames>
struct promise_base {
    std::exception_ptr error;

    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
    static void* operator new(std::size_t bytes) { return Frames::allocate(bytes); }
    static void operator delete(void* frame, std::size_t bytes) { Frames::release(frame, bytes); }
};

template <class T, class Frames>
struct promise : promise_base<Frames> {
    std::optional<T> value;
    async<T, Frames> get_return_object();
    template <class U>
    void return_value(U&& u) {
        value.emplace(std::forward<U>(u));
    }
};

template <class Frames>
struct promise<void, Frames> : promise_base<Frames> {
    async<void, Frames> get_return_object();
    void return_void() const noexcept {}
};

}  // namespace detail

// Owned and lazy: runs when awaited or finished, on the thread that does so. Default-constructed it is
// already done. Frames::allocate(bytes) and release(frame, bytes) give it its memory.
template <class T = void, class Frames = frames>
class [[nodiscard]] async {
  public:
    using promise_type = detail::promise<T, Frames>;

    async() = default;
    explicit async(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    async(async&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    async& operator=(async&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~async() {
        if (frame_) frame_.destroy();
    }

    // Runs the body to its end and gives its result, or throws what it threw.
    T finish() {
        if constexpr (std::is_void_v<T>) {
            if (!frame_) return;
        }
        frame_.resume();
        promise_type& done = frame_.promise();
        if (done.error) std::rethrow_exception(std::exchange(done.error, nullptr));
        if constexpr (!std::is_void_v<T>) return std::move(*done.value);
    }

    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    T await_resume() { return finish(); }

  private:
    std::coroutine_handle<promise_type> frame_;
};

template <class T, class Frames>
async<T, Frames> detail::promise<T, Frames>::get_return_object() {
    return async<T, Frames>(std::coroutine_handle<promise<T, Frames>>::from_promise(*this));
}

template <class Frames>
async<void, Frames> detail::promise<void, Frames>::get_return_object() {
    return async<void, Frames>(std::coroutine_handle<promise<void, Frames>>::from_promise(*this));
}

}  // namespace crossover::blocking

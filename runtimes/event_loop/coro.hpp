// coro<T>: a coroutine that does nothing until it is awaited or made a task.
#pragma once

#include <coroutine>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "runtimes/event_loop/frame_pool.hpp"
#include "runtimes/event_loop/outcome.hpp"
#include "runtimes/event_loop/transfer.hpp"

namespace crossover::asyncio {

template <class T>
class coro;

// What lies before the frame of a coroutine with result T.
template <class T>
struct frame_header {
    static constexpr std::size_t bytes = sizeof(task_state) + value_of<T>::extra;
    static_assert(bytes % frame_pool::step == 0);

    static task_state& of(std::coroutine_handle<> h) noexcept {
        return *std::launder(reinterpret_cast<task_state*>(static_cast<std::byte*>(h.address()) - bytes));
    }
    static std::coroutine_handle<> frame(task_state& t) noexcept {
        return std::coroutine_handle<>::from_address(reinterpret_cast<std::byte*>(&t) + bytes);
    }
};

template <class T>
class coro_promise_base {
  public:
    static void* operator new(std::size_t frame) {
        constexpr std::size_t header = frame_header<T>::bytes;
        void* const raw = frame_pool::allocate(header + frame);
        ::new (raw) task_state;
        return static_cast<std::byte*>(raw) + header;
    }
    static void operator delete(void* at, std::size_t frame) noexcept {
        constexpr std::size_t header = frame_header<T>::bytes;
        auto* const t = std::launder(reinterpret_cast<task_state*>(static_cast<std::byte*>(at) - header));
        if (t->result.refs != 0)
            t->bytes = header + frame;  // a task: the result is still needed
        else
            frame_pool::release(t, header + frame);
    }

    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct final_awaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        transferred await_suspend(std::coroutine_handle<Promise> h) const noexcept {
            task_state& t = frame_header<T>::of(h);
            if (t.result.has(flag::is_task)) return transfer_to_nobody();  // the task's step finishes it
            return transfer_to(std::coroutine_handle<>::from_address(t.continuation));
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }
};

template <class T>
class coro_promise : public coro_promise_base<T> {
  public:
    coro<T> get_return_object() noexcept {
        return coro<T>(std::coroutine_handle<coro_promise>::from_promise(*this));
    }
    void unhandled_exception() noexcept {
        outcome& o = result();
        o.set_error(std::current_exception());
        o.state = phase::threw;
    }
    template <class U = T>
    requires(!std::is_reference_v<T> && std::is_constructible_v<T, U&&>) void return_value(U&& value) {
        value_of<T>::make(result(), std::forward<U>(value));
        result().state = phase::returned;
    }
    void return_value(T value) requires std::is_reference_v<T> {
        value_of<T>::make(result(), std::addressof(value));
        result().state = phase::returned;
    }

  private:
    outcome& result() noexcept {
        return frame_header<T>::of(std::coroutine_handle<coro_promise>::from_promise(*this)).result;
    }
};

template <>
class coro_promise<void> : public coro_promise_base<void> {
  public:
    coro<void> get_return_object() noexcept;
    void unhandled_exception() noexcept {
        outcome& o = result();
        o.set_error(std::current_exception());
        o.state = phase::threw;
    }
    void return_void() noexcept { result().state = phase::returned; }

  private:
    outcome& result() noexcept {
        return frame_header<void>::of(std::coroutine_handle<coro_promise>::from_promise(*this)).result;
    }
};

// Owns the frame. Awaiting it runs the body at once, inside the awaiting task, without going through the
// ready queue; it can be awaited once. A default-constructed coro<void> is already done: what a plain
// function returns where a coroutine may stand.
template <class T = void>
class [[nodiscard("a coroutine does nothing until it is awaited or made a task")]] coro {
  public:
    using promise_type = coro_promise<T>;
    using value_type = T;

    coro() noexcept requires std::is_void_v<T>
    = default;
    explicit coro(std::coroutine_handle<promise_type> h) noexcept : frame_(h) {}
    coro(coro && other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    coro& operator=(coro other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~coro() {
        if (!frame_) return;
        destroy_result<T>(state().result);
        frame_.destroy();
    }

    // Whether there is nothing to run: default-constructed, moved from, or run to its end.
    bool done() const noexcept { return !frame_ || frame_.done(); }

    class awaiter {
      public:
        explicit awaiter(std::coroutine_handle<promise_type> child) noexcept : child_(child) {}
        bool await_ready() const {
            if (!child_) {
                if constexpr (std::is_void_v<T>) return true;
                throw std::logic_error("awaiting a coroutine that was moved from");
            }
            if (frame_header<T>::of(child_).continuation)
                throw std::logic_error("cannot await a coroutine twice: make it a task");
            return false;
        }
        transferred await_suspend(std::coroutine_handle<> parent) const noexcept {
            frame_header<T>::of(child_).continuation = parent.address();
            return transfer_to(child_);
        }
        T await_resume() const {
            if constexpr (std::is_void_v<T>)
                if (!child_) return;
            outcome& o = frame_header<T>::of(child_).result;
            if (o.state == phase::threw) [[unlikely]]
                std::rethrow_exception(o.error);
            if constexpr (std::is_reference_v<T>)
                return static_cast<T>(*value_of<T>::in(o));
            else if constexpr (!std::is_void_v<T>)
                return std::move(value_of<T>::in(o));
        }

      private:
        std::coroutine_handle<promise_type> child_;
    };
    awaiter operator co_await() const noexcept { return awaiter(frame_); }

    // For those who run it as a task: gives up the frame, which outcome and frame_header reach. Null if there
    // is none.
    task_state* release() noexcept {
        if (!frame_) return nullptr;
        task_state& t = state();
        frame_ = nullptr;
        return &t;
    }

  private:
    task_state& state() const noexcept { return frame_header<T>::of(frame_); }

    std::coroutine_handle<promise_type> frame_ = nullptr;
};

inline coro<void> coro_promise<void>::get_return_object() noexcept {
    return coro<void>(std::coroutine_handle<coro_promise>::from_promise(*this));
}

}  // namespace crossover::asyncio

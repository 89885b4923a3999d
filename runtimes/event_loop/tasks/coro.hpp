// coro<T>: a coroutine that does not start until it is awaited or made a task.
#pragma once

#include <coroutine>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "runtimes/event_loop/tasks/outcome.hpp"
#include "runtimes/event_loop/tasks/transfer.hpp"
#include "runtimes/system/frame_pool.hpp"

namespace crossover::asyncio {

template <class T>
class coro;

// A coroutine frame lies directly behind its task_state.
inline task_state& header_of(std::coroutine_handle<> frame) noexcept {
    static_assert(sizeof(task_state) % frame_pool::step == 0);
    return *std::launder(
        reinterpret_cast<task_state*>(static_cast<std::byte*>(frame.address()) - sizeof(task_state)));
}
inline std::coroutine_handle<> frame_of(task_state& t) noexcept {
    return std::coroutine_handle<>::from_address(reinterpret_cast<std::byte*>(&t) + sizeof(task_state));
}

// Coroutines that own one another as parameters are destroyed inside one another only to this depth, lest a
// long chain overflow the stack; from there on one after the other.
inline constexpr unsigned most_nested = 200;
inline constinit thread_local unsigned frames_being_destroyed = 0;
void destroy_deep_frame(std::coroutine_handle<> frame);
inline void destroy_frame(std::coroutine_handle<> frame) {
    if (frames_being_destroyed >= most_nested) [[unlikely]]
        return destroy_deep_frame(frame);
    ++frames_being_destroyed;
    frame.destroy();
    --frames_being_destroyed;
}

// Self is the promise type, which adds no members.
template <class T, class Self>
class coro_promise_base {
  public:
    static void* operator new(std::size_t frame) {
        void* const raw = frame_pool::allocate(header_bytes<T> + frame);
        ::new (static_cast<std::byte*>(raw) + value_of<T>::extra) task_state;
        return static_cast<std::byte*>(raw) + header_bytes<T>;
    }
    static void operator delete(void* at, std::size_t frame) noexcept {
        task_state& t = header_of(std::coroutine_handle<>::from_address(at));
        if (t.result.refs != 0)
            t.bytes = header_bytes<T> + frame;  // a task: the result is still needed
        else
            release_header<T>(t, header_bytes<T> + frame);
    }

    // The default argument is the coroutine function. Asked for here, where it takes no room in the frame.
    coro<T> get_return_object(std::source_location body = std::source_location::current()) noexcept;
    std::suspend_always initial_suspend() noexcept { return {}; }

    struct final_awaiter {
        bool await_ready() const noexcept { return false; }
        transferred await_suspend(std::coroutine_handle<> h) const noexcept {
            task_state& t = header_of(h);
            if (t.result.has(flag::is_task)) return transfer_to_nobody();  // the task's step finishes it
            return transfer_to(std::coroutine_handle<>::from_address(t.continuation));
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

    void unhandled_exception() noexcept {
        outcome& o = result();
        o.set_error(std::current_exception());
        o.state = phase::threw;
    }

  protected:
    outcome& result() noexcept { return header_of(handle()).result; }

  private:
    std::coroutine_handle<> handle() noexcept {
        void* frame = std::coroutine_handle<Self>::from_promise(static_cast<Self&>(*this)).address();
#ifdef __clang__
        // Clang takes the promise for a local variable until it has split the coroutine, and drops stores
        // that lie before it, as the header does; and it would lay a frame that it sees destroyed into that
        // of its caller, where there is no header. So it must not know whose frame this is.
        asm("" : "+r"(frame));
#endif
        return std::coroutine_handle<>::from_address(frame);
    }
};

// How the promise takes the result.
template <class T, class Self>
class returning_promise : public coro_promise_base<T, Self> {
  public:
    template <class U = T>
    requires(!std::is_reference_v<T> && std::is_constructible_v<T, U&&>) void return_value(U&& value) {
        value_of<T>::make(this->result(), std::forward<U>(value));
        this->result().state = phase::returned;
    }
    void return_value(T value) requires std::is_reference_v<T> {
        value_of<T>::make(this->result(), std::addressof(value));
        this->result().state = phase::returned;
    }
};

template <class Self>
class returning_promise<void, Self> : public coro_promise_base<void, Self> {
  public:
    void return_void() noexcept { this->result().state = phase::returned; }
};

template <class T>
class coro_promise : public returning_promise<T, coro_promise<T>> {};

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
    explicit coro(std::coroutine_handle<> h) noexcept : frame_(h) {}
    coro(coro && other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    coro& operator=(coro other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~coro() {
        if (frame_) destroy();
    }

    // Whether there is nothing to run: default-constructed, moved from, or run to its end.
    bool done() const noexcept { return !frame_ || frame_.done(); }

    class awaiter {
      public:
        explicit awaiter(std::coroutine_handle<> child) noexcept : child_(child) {}
        bool await_ready() const {
            if (!child_) {
                if constexpr (std::is_void_v<T>) return true;
                throw std::logic_error("awaiting a coroutine that was moved from");
            }
            if (header_of(child_).continuation)
                throw std::logic_error("cannot await a coroutine twice: make it a task");
            return false;
        }
        transferred await_suspend(std::coroutine_handle<> parent) const noexcept {
            header_of(child_).continuation = parent.address();
            return transfer_to(child_);
        }
        T await_resume() const {
            if constexpr (std::is_void_v<T>)
                if (!child_) return;
            outcome& o = header_of(child_).result;
            if (o.state == phase::threw) [[unlikely]]
                std::rethrow_exception(o.error);
            if constexpr (std::is_reference_v<T>)
                return static_cast<T>(*value_of<T>::in(o));
            else if constexpr (!std::is_void_v<T>)
                return std::move(value_of<T>::in(o));
        }

      private:
        std::coroutine_handle<> child_;
    };
    awaiter operator co_await() const noexcept { return awaiter(frame_); }

    // Whoever awaits it may be destroyed instead of being thrown through (nothrow_cancel.hpp).
    void set_parent_catchless() const noexcept {
        if (frame_) state().result.set(flag::catchless);
    }

    // For those who run it as a task: gives up the frame, which header_of() and frame_of() reach. Null if
    // there is none, or it has been awaited.
    task_state* release() noexcept {
        if (!frame_ || state().continuation) return nullptr;
        task_state& t = state();
        frame_ = nullptr;
        return &t;
    }

  private:
    void destroy() {
        task_state& t = state();
        destroy_result<T>(t.result);
        if (t.result.refs != 0) [[unlikely]]
            release_header<T>(t, t.bytes);  // the frame went before (unwind())
        else
            destroy_frame(frame_);
    }
    task_state& state() const noexcept { return header_of(frame_); }

    std::coroutine_handle<> frame_ = nullptr;
};

template <class T, class Self>
coro<T> coro_promise_base<T, Self>::get_return_object(std::source_location body) noexcept {
    ::new (&result().body) std::source_location(body);
    return coro<T>(handle());
}

}  // namespace crossover::asyncio

// concurrent_future: a result that travels between threads; run_coroutine_threadsafe and wrap_future.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtimes/event_loop/executors/cross_thread_call.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

template <class T>
class concurrent_promise;

// The result, seen from threads that are not the loop's. May be copied, and used from any thread.
template <class T = void>
class [[nodiscard]] concurrent_future {
  public:
    bool done() const {
        const std::lock_guard guard(state_->lock);
        return state_->done;
    }
    bool cancelled() const {
        const std::lock_guard guard(state_->lock);
        return state_->cancelled;
    }

    // At once: a result that comes all the same is dropped. False if it was done, or if its maker has called
    // set_running(). Of run_coroutine_threadsafe() it cancels the coroutine too; the loop must exist.
    bool cancel() const {
        return settle(*state_, [](state& s) { return !s.running && (s.cancelled = true); });
    }

    // Blocks until it is there; never call it in the loop's own thread. Throws what was thrown,
    // cancelled_error, or timeout_error, after which whoever makes the result goes on.
    T result(std::chrono::nanoseconds patience = std::chrono::nanoseconds::max()) const {
        await(patience);
        if (state_->cancelled) throw cancelled_error();
        if (state_->error) std::rethrow_exception(state_->error);
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(**state_->value);
        } else if constexpr (!std::is_void_v<T>) {
            if constexpr (std::is_copy_constructible_v<T>)
                return *state_->value;
            else
                return std::move(*state_->value);  // once
        }
    }
    // Null if it ended well. Otherwise as result().
    std::exception_ptr exception(std::chrono::nanoseconds patience = std::chrono::nanoseconds::max()) const {
        await(patience);
        if (state_->cancelled) throw cancelled_error();
        return state_->error;
    }

    // Called in the thread that brings the result or cancels; at once, in this one, if it is done already.
    // Must not throw.
    void add_done_callback(std::function<void(const concurrent_future&)> f) const {
        {
            const std::lock_guard guard(state_->lock);
            if (!state_->done) return state_->callbacks.push_back(std::move(f));
        }
        f(*this);
    }

  private:
    friend class concurrent_promise<T>;

    struct state {
        mutable std::mutex lock;
        std::condition_variable changed;
        bool running = false;
        bool done = false;
        bool cancelled = false;
        std::exception_ptr error;
        std::optional<stored<T>> value;
        std::vector<std::function<void(const concurrent_future&)>> callbacks;
    };

    explicit concurrent_future(std::shared_ptr<state> s) noexcept : state_(std::move(s)) {}

    // f sets what came out, or returns false to leave things as they are.
    template <class F>
    bool settle(state& s, F f) const {
        std::vector<std::function<void(const concurrent_future&)>> callbacks;
        {
            const std::lock_guard guard(s.lock);
            if (s.done || !f(s)) return false;
            s.done = true;
            callbacks = std::move(s.callbacks);
            s.changed.notify_all();
        }
        for (const auto& callback : callbacks) callback(*this);
        return true;
    }

    void await(std::chrono::nanoseconds patience) const {
        std::unique_lock guard(state_->lock);
        const auto over = [&] { return state_->done; };
        if (!state_->changed.wait_until(guard, loop::deadline_after(patience), over))
            throw timeout_error("the result did not come in time");
    }

    std::shared_ptr<state> state_;
};

// The other end, for whoever makes the result, in any thread. If it goes without, the result is a
// cancellation.
template <class T = void>
class concurrent_promise {
  public:
    concurrent_promise() : future_(std::make_shared<typename concurrent_future<T>::state>()) {}
    concurrent_promise(const concurrent_promise&) = delete;
    concurrent_promise& operator=(const concurrent_promise&) = delete;
    ~concurrent_promise() {
        settle([](auto& s) { s.cancelled = true; });
    }

    const concurrent_future<T>& get_future() const noexcept { return future_; }
    // From now on it cannot be cancelled; false if it has been.
    bool set_running() {
        const std::lock_guard guard(future_.state_->lock);
        return !future_.state_->done && (future_.state_->running = true);
    }
    // Each returns false, and drops what came, if the future is done.
    template <class U = T>
    requires(!std::is_void_v<T>) bool set_result(U&& value) {
        return settle([&](auto& s) {
            if constexpr (std::is_reference_v<T>)
                s.value.emplace(std::addressof(value));
            else
                s.value.emplace(std::forward<U>(value));
        });
    }
    bool set_result() requires std::is_void_v<T> {
        return settle([](auto&) {});
    }
    bool set_exception(std::exception_ptr e) {
        return settle([&](auto& s) { s.error = std::move(e); });
    }
    bool set_cancelled() {
        return settle([](auto& s) { s.cancelled = true; });
    }

  private:
    template <class F>
    bool settle(F f) {
        return future_.settle(*future_.state_, [&](auto& s) {
            f(s);
            return true;
        });
    }

    concurrent_future<T> future_;
};

// From any thread but the loop's own. If the loop closes before the coroutine has ended, it is cancelled.
template <class T>
concurrent_future<T> run_coroutine_threadsafe(coro<T> what, loop& l,
                                              std::source_location at = std::source_location::current()) {
    auto promise = std::make_shared<concurrent_promise<T>>();
    const concurrent_future<T> result = promise->get_future();
    const auto running = std::make_shared<task<T>>();  // of the loop's thread only
    result.add_done_callback([running, &l](const concurrent_future<T>& f) {
        if (!f.cancelled() || l.is_closed()) return;
        l.call_soon_threadsafe([running] {
            if (*running) running->cancel();
        });
    });
    l.call_soon_threadsafe([promise = std::move(promise), running, what = std::move(what), at]() mutable {
        if (promise->get_future().done()) return;
        *running = get_running_loop().create_task(std::move(what), {}, at);
        running->add_done_callback([promise, running](const task<T>& ended) {
            *running = task<T>();
            const std::exception_ptr error = ended.cancelled() ? nullptr : ended.exception();
            if (ended.cancelled())
                promise->set_cancelled();
            else if (error)
                promise->set_exception(error);
            else if constexpr (std::is_void_v<T>)
                promise->set_result();
            else if constexpr (std::is_reference_v<T>)
                promise->set_result(ended.result());
            else if constexpr (std::is_copy_constructible_v<T>)
                promise->set_result(ended.result());
            else
                promise->set_result(std::move(value_of<T>::in(ended.raw())));
        });
    });
    return result;
}

// The result of another thread as a future of the running loop. Cancelling it cancels the other if it can
// still be; one that has a result keeps it.
template <class T>
future<T> wrap_future(const concurrent_future<T>& other) {
    loop& l = get_running_loop();
    auto take = [other] { return other.result(); };
    auto call = std::make_shared<std::unique_ptr<bound_cross_thread_call<T, decltype(take)>>>(
        std::make_unique<bound_cross_thread_call<T, decltype(take)>>(l, take));
    const future<T> result = (*call)->result();
    result.add_done_callback([other](const future<T>& mine) {
        if (mine.cancelled()) other.cancel();
    });
    other.add_done_callback([call, link = l.use<cross_thread_calls>().link()](const concurrent_future<T>& f) {
        if (!f.cancelled()) (*call)->run();
        link->give_back(std::move(*call));
    });
    return result;
}

}  // namespace crossover::asyncio

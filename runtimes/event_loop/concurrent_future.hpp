// run_coroutine_threadsafe: another thread has a coroutine run in a loop and waits for its result.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "runtimes/event_loop/task.hpp"

namespace crossover::asyncio {

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

    // Cancels the coroutine, and this at once: a result that comes all the same is dropped. False if it was
    // done. The loop must exist.
    bool cancel() const {
        {
            const std::lock_guard guard(state_->lock);
            if (state_->done) return false;
            state_->done = state_->cancelled = true;
            state_->changed.notify_all();
        }
        if (!state_->home.is_closed())
            state_->home.call_soon_threadsafe([s = state_] {
                if (s->running) s->running.cancel();
            });
        return true;
    }

    // Blocks until it is there; never call it in the loop's own thread. Throws what the coroutine threw,
    // cancelled_error, or timeout_error, after which the coroutine still runs.
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

  private:
    template <class U>
    friend concurrent_future<U> run_coroutine_threadsafe(coro<U> what, loop& l);

    struct state {
        explicit state(loop& l) : home(l) {}
        loop& home;
        any_task running;  // of the loop's thread only
        mutable std::mutex lock;
        std::condition_variable changed;
        bool done = false;
        bool cancelled = false;
        std::exception_ptr error;
        std::optional<stored<T>> value;
    };

    // Whoever still may bring the result holds it; when the last has gone without, the result is a
    // cancellation.
    class promise {
      public:
        explicit promise(std::shared_ptr<state> s) : state_(std::move(s)) {}
        promise(const promise&) = delete;
        promise& operator=(const promise&) = delete;
        ~promise() {
            set([](state& s) { s.cancelled = true; });
        }

        state& shared() const noexcept { return *state_; }

        template <class F>
        void set(F f) {
            state_->running = any_task();
            const std::lock_guard guard(state_->lock);
            if (std::exchange(state_->done, true)) return;
            f(*state_);
            state_->changed.notify_all();
        }

        void keep(const task<T>& t) {
            const std::exception_ptr error = t.cancelled() ? nullptr : t.exception();
            set([&](state& s) {
                if (t.cancelled())
                    s.cancelled = true;
                else if (error)
                    s.error = error;
                else if constexpr (std::is_copy_constructible_v<stored<T>>)
                    s.value.emplace(value_of<T>::in(t.raw()));
                else
                    s.value.emplace(std::move(value_of<T>::in(t.raw())));
            });
        }

      private:
        std::shared_ptr<state> state_;
    };

    explicit concurrent_future(loop& l) : state_(std::make_shared<state>(l)) {}

    void await(std::chrono::nanoseconds patience) const {
        std::unique_lock guard(state_->lock);
        const auto over = [&] { return state_->done; };
        if (patience == std::chrono::nanoseconds::max())
            state_->changed.wait(guard, over);
        else if (!state_->changed.wait_for(guard, patience, over))
            throw timeout_error("the coroutine did not end in time");
    }

    std::shared_ptr<state> state_;
};

// From any thread but the loop's own. If the loop closes before the coroutine has ended, it is cancelled.
template <class T>
concurrent_future<T> run_coroutine_threadsafe(coro<T> what, loop& l) {
    concurrent_future<T> result(l);
    auto promise = std::make_shared<typename concurrent_future<T>::promise>(result.state_);
    l.call_soon_threadsafe([promise = std::move(promise), what = std::move(what)]() mutable {
        auto& shared = promise->shared();
        {
            const std::lock_guard guard(shared.lock);
            if (shared.done) return;
        }
        const task<T> t = get_running_loop().create_task(std::move(what));
        shared.running = t;
        t.add_done_callback([promise](const task<T>& ended) { promise->keep(ended); });
    });
    return result;
}

}  // namespace crossover::asyncio

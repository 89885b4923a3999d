// condition: wait under a lock for a change that another task makes under it.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

class condition {
  public:
    // With a lock of its own.
    condition() : own_(std::make_unique<lock>()), lock_(*own_) {}
    // With a lock shared with others, which outlives the condition.
    explicit condition(lock& shared) : lock_(shared) {}

    lock& get_lock() noexcept { return lock_; }
    lock::acquire_wait acquire() noexcept { return lock_.acquire(); }
    lock::guard_wait scoped() noexcept { return lock_.scoped(); }
    void release() { lock_.release(); }
    bool locked() const noexcept { return lock_.locked(); }

    // Releases the lock, waits for notify() and takes the lock again, also when it is cancelled. Throws
    // std::logic_error if the lock is not held.
    coro<void> wait();
    // Until the predicate holds, which is asked under the lock; gives what it returned then.
    template <class Predicate>
    coro<std::invoke_result_t<Predicate&>> wait_for(Predicate holds) {
        for (;;) {
            auto answer = holds();
            if (answer) co_return std::move(answer);
            co_await wait();
        }
    }

    // Wakes the n that have waited longest. Throws std::logic_error if the lock is not held.
    void notify(std::size_t n = 1);
    void notify_all() { notify(std::numeric_limits<std::size_t>::max()); }

  private:
    friend class barrier;

    class [[nodiscard]] notice_wait : queued_wait {
      public:
        explicit notice_wait(condition& c) noexcept : queued_wait(c.waiting_) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) { queued_wait::wait(h); }
        void await_resume() const { check_cancelled(); }

      private:
        std::string describe() const override { return "condition.wait()"; }
    };
    void wake(std::size_t n) noexcept {
        while (n-- != 0 && waiting_.wake_first()) continue;
    }

    void wake_all() noexcept { waiting_.wake_all(); }

    std::unique_ptr<lock> own_;
    lock& lock_;
    wait_list waiting_;
};

}  // namespace crossover::asyncio

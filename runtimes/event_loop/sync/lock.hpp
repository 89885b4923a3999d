// lock: one task at a time, first come first served.
#pragma once

#include <stdexcept>
#include <utility>

#include "runtimes/event_loop/sync/wait_list.hpp"

namespace crossover::asyncio {

class lock {
  public:
    lock() = default;

    bool locked() const noexcept { return locked_; }

    class [[nodiscard]] acquire_wait : queued_wait {
      public:
        explicit acquire_wait(lock& l) noexcept : queued_wait(l.waiting_), lock_(l) {}
        bool await_ready() noexcept {
            if (lock_.locked_ || lock_.woken_) return false;
            if (!lock_.waiting_.empty() && any_waits(lock_.waiting_.first())) [[unlikely]]
                return false;
            return lock_.locked_ = true;
        }
        void await_suspend(std::coroutine_handle<> h) { wait(h); }
        void await_resume() {
            if (!suspended()) return;
            if (granted_) lock_.woken_ = false;
            if (was_cancelled()) [[unlikely]] {
                leave_list();
                // Whoever is next must not be lost with this waiter.
                if (!lock_.locked_) lock_.wake_next();
                throw_cancelled();
            }
            lock_.locked_ = true;
        }

      private:
        friend lock;

        // As in CPython it keeps its place until its task runs, and whoever is behind it is not woken before.
        bool cancel(task_state& t, std::string_view message) override {
            given_up_ = true;
            interrupt(t, message);
            wake(t);
            return true;
        }
        static bool has_given_up(const queued_wait& w) noexcept {
            return static_cast<const acquire_wait&>(w).given_up_;
        }
        [[gnu::noinline]] static bool any_waits(const queued_wait* first) noexcept {
            while (first && has_given_up(*first)) first = static_cast<const acquire_wait*>(first)->next();
            return first;
        }
        std::string describe() const override { return "lock.acquire()"; }

        lock& lock_;
    };
    acquire_wait acquire() noexcept { return acquire_wait(*this); }

    // By any task. A waiter gets the lock before the releaser can have it again. Throws std::logic_error if
    // it is not locked.
    void release() {
        if (!locked_) throw std::logic_error("the lock is not acquired");
        locked_ = false;
        wake_next();
    }

    // Releases when destroyed; what `co_await l.scoped()` returns.
    class guard {
      public:
        explicit guard(lock& l) noexcept : lock_(&l) {}
        guard(guard&& other) noexcept : lock_(std::exchange(other.lock_, nullptr)) {}
        guard& operator=(guard other) noexcept {
            std::swap(lock_, other.lock_);
            return *this;
        }
        ~guard() {
            if (lock_ && lock_->locked_) lock_->release();
        }

      private:
        lock* lock_;
    };
    class [[nodiscard]] guard_wait : acquire_wait {
      public:
        explicit guard_wait(lock& l) noexcept : acquire_wait(l), owner_(l) {}
        using acquire_wait::await_ready;
        using acquire_wait::await_suspend;
        guard await_resume() {
            acquire_wait::await_resume();
            return guard(owner_);
        }

      private:
        lock& owner_;
    };
    guard_wait scoped() noexcept { return guard_wait(*this); }

  private:
    void wake_next() noexcept {
        if (woken_ || waiting_.empty() || acquire_wait::has_given_up(*waiting_.first())) return;
        waiting_.wake_first();
        woken_ = true;
    }

    bool locked_ = false;
    bool woken_ = false;  // somebody was woken to take it and has not run yet
    wait_list waiting_;
};

}  // namespace crossover::asyncio

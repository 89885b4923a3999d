// semaphore and bounded_semaphore: a bounded number of tasks at once, first come first served.
#pragma once

#include <cstddef>
#include <limits>
#include <stdexcept>

#include "runtimes/event_loop/sync/wait_list.hpp"
#include "runtimes/system/permit.hpp"

namespace crossover::asyncio {

class semaphore {
  public:
    // Throws std::invalid_argument for a negative value.
    explicit semaphore(std::ptrdiff_t value = 1) : value_(value) {
        if (value < 0) throw std::invalid_argument("a semaphore's initial value must be 0 or more");
    }
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;

    // Whether acquire() would wait: also while somebody who was woken has not run yet, so that nobody
    // overtakes.
    bool locked() const noexcept { return value_ == 0 || woken_ != 0 || !waiting_.empty(); }

    class [[nodiscard]] acquire_wait : queued_wait {
      public:
        explicit acquire_wait(semaphore& s) noexcept : queued_wait(s.waiting_), semaphore_(s) {}
        bool await_ready() noexcept {
            if (semaphore_.locked()) return false;
            --semaphore_.value_;
            return true;
        }
        void await_suspend(std::coroutine_handle<> h) { wait(h); }
        void await_resume() {
            if (!suspended()) return;
            if (granted_) --semaphore_.woken_;
            const bool lost = was_cancelled();
            if (lost && granted_) ++semaphore_.value_;
            // Newcomers that queued up behind the woken ones though the value allowed more.
            while (semaphore_.value_ > 0 && semaphore_.grant()) continue;
            if (lost) throw_cancelled();
        }

      private:
        std::string describe() const override { return "semaphore.acquire()"; }

        semaphore& semaphore_;
    };
    acquire_wait acquire() noexcept { return acquire_wait(*this); }

    void release() {
        ++value_;
        grant();
    }

    // Gives itself back when destroyed; what `co_await s.scoped()` returns.
    using permit = crossover::permit<semaphore>;
    class [[nodiscard]] permit_wait : acquire_wait {
      public:
        explicit permit_wait(semaphore& s) noexcept : acquire_wait(s), owner_(s) {}
        using acquire_wait::await_ready;
        using acquire_wait::await_suspend;
        permit await_resume() {
            acquire_wait::await_resume();
            return permit(owner_);
        }

      private:
        semaphore& owner_;
    };
    permit_wait scoped() noexcept { return permit_wait(*this); }

  protected:
    std::ptrdiff_t value() const noexcept { return value_; }

  private:
    bool grant() noexcept {
        if (waiting_.empty()) return false;
        --value_;
        ++woken_;
        waiting_.wake_first();
        return true;
    }

    std::ptrdiff_t value_;
    std::size_t woken_ = 0;  // granted, but not resumed yet
    wait_list waiting_;
};

// Refuses to be released more often than acquired.
class bounded_semaphore : public semaphore {
  public:
    explicit bounded_semaphore(std::ptrdiff_t value = 1) : semaphore(value), most_(value) {}

    // Throws std::logic_error if nothing is acquired.
    void release() {
        if (value() >= most_) throw std::logic_error("bounded_semaphore released too many times");
        semaphore::release();
    }

  private:
    std::ptrdiff_t most_;
};

}  // namespace crossover::asyncio

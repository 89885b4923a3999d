// The permits of a semaphore whose waiters live in several threads: a released one goes to who waited
// longest.
#pragma once

#include <cstddef>
#include <mutex>

#include "runtimes/handover/waiter.hpp"
#include "runtimes/permit.hpp"

namespace crossover::handover {

// Any thread. The lock is held for a few instructions, and never while somebody is called or suspended.
class permits {
  public:
    explicit permits(std::size_t count) : free_(count) {}

    bool try_take() {
        const std::lock_guard guard(lock_);
        return take();
    }

    // True: taken at once. False: the waiter is in the line, and will be called with a permit.
    bool take_or_wait(waiter& w) {
        const std::lock_guard guard(lock_);
        if (take()) return true;
        waiting_.add(w);
        return false;
    }

    // False: it has a permit already, and its call is on the way.
    bool withdraw(waiter& w) {
        const std::lock_guard guard(lock_);
        return waiting_.remove(w);
    }

    void release() {
        waiter* next = nullptr;
        {
            const std::lock_guard guard(lock_);
            next = waiting_.take();
            if (!next) ++free_;
        }
        if (next) next->call();
    }

  private:
    bool take() {
        if (free_ == 0) return false;
        --free_;
        return true;
    }

    std::mutex lock_;
    std::size_t free_;
    line waiting_;
};

using permit = crossover::permit<permits>;

}  // namespace crossover::handover

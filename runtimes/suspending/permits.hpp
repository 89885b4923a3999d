// The permits of a semaphore whose waiters live in several threads: a released one goes to whoever waited
// longest.
#pragma once

#include <cstddef>
#include <mutex>

#include "runtimes/suspending/wait_queue.hpp"
#include "runtimes/system/permit.hpp"

namespace crossover::cross_thread {

// Any thread. The lock is held for a few instructions, and never while somebody is called or suspended.
class permits {
  public:
    explicit permits(std::size_t count) : free_(count) {}

    bool try_take() {
        const std::lock_guard guard(lock_);
        return take();
    }

    // True: taken at once. False: the waiter is in the queue, and will be called with a permit.
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
    wait_queue waiting_;
};

using permit = crossover::permit<permits>;

}  // namespace crossover::cross_thread

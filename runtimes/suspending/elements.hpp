// The elements of a bounded channel whose waiters live in several threads: an element or free place goes to
// whoever waited longest, so no waiter wakes for nothing.
#pragma once

#include <mutex>
#include <optional>

#include "runtimes/contract/arena.hpp"
#include "runtimes/contract/bounded_ring.hpp"
#include "runtimes/suspending/wait_queue.hpp"

namespace crossover::cross_thread {

enum class passed { yes, closed, waits };

// Any thread. `Waiter` is the model's class of waiters.
template <class T, class Waiter>
class elements {
  public:
    elements(arena& memory, std::size_t capacity) : ring_(memory, capacity) {}

    // Of a producer: what it has still to give. Of a consumer: what it was given.
    class turn : public Waiter {
      public:
        using Waiter::Waiter;
        std::optional<T> value;
    };

    // What can be done without waiting.
    passed try_push(const T& value) {
        turn* consumer = nullptr;
        {
            const std::lock_guard guard(lock_);
            if (closed_) return passed::closed;
            if (!give(value, consumer)) return passed::waits;
        }
        if (consumer) consumer->call();
        return passed::yes;
    }
    passed try_pop(std::optional<T>& value) {
        turn* producer = nullptr;
        {
            const std::lock_guard guard(lock_);
            if (ring_.empty()) return closed_ ? passed::closed : passed::waits;
            value = take(producer);
        }
        if (producer) producer->call();
        return passed::yes;
    }

    // The same; if it has to wait, the turn is in the queue and will be called: a producer's value is gone
    // then, unless the channel was closed; a consumer's is there, unless the channel was closed and drained.
    passed push_or_wait(turn& mine) {
        turn* consumer = nullptr;
        {
            const std::lock_guard guard(lock_);
            if (closed_) return passed::closed;
            if (!give(*mine.value, consumer)) {
                producers_.add(mine);
                return passed::waits;
            }
            mine.value.reset();
        }
        if (consumer) consumer->call();
        return passed::yes;
    }
    passed pop_or_wait(turn& mine) {
        turn* producer = nullptr;
        {
            const std::lock_guard guard(lock_);
            if (ring_.empty()) {
                if (closed_) return passed::closed;
                consumers_.add(mine);
                return passed::waits;
            }
            mine.value = take(producer);
        }
        if (producer) producer->call();
        return passed::yes;
    }

    // False: something was handed to it already, or the channel was closed; its call is on the way.
    bool withdraw_producer(turn& mine) {
        const std::lock_guard guard(lock_);
        return producers_.remove(mine);
    }
    bool withdraw_consumer(turn& mine) {
        const std::lock_guard guard(lock_);
        return consumers_.remove(mine);
    }

    void close() {
        for (;;) {
            waiter* next = nullptr;
            {
                const std::lock_guard guard(lock_);
                closed_ = true;
                next = consumers_.take();
                if (!next) next = producers_.take();
            }
            if (!next) return;
            next->call();
        }
    }

  private:
    // Hands the value to a consumer or puts it into the ring; false when that is full.
    bool give(const T& value, turn*& consumer) {
        consumer = static_cast<turn*>(consumers_.take());
        if (consumer) {
            consumer->value = value;
            return true;
        }
        if (ring_.full()) return false;
        ring_.push(value);
        return true;
    }

    // The first element; its place goes to a producer that waits.
    T take(turn*& producer) {
        T value = ring_.pop();
        producer = static_cast<turn*>(producers_.take());
        if (producer) {
            turn* nobody = nullptr;
            give(*producer->value, nobody);
            producer->value.reset();
        }
        return value;
    }

    std::mutex lock_;
    bounded_ring<T> ring_;
    bool closed_ = false;
    wait_queue producers_;
    wait_queue consumers_;
};

}  // namespace crossover::cross_thread

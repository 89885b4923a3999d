// The verbs of a context whose items are fibers. They suspend the fiber, never its thread.
#pragma once

#include <cstddef>
#include <optional>

#include "runtimes/blocking/async.hpp"
#include "runtimes/contract/arena.hpp"
#include "runtimes/contract/bounded_ring.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/fibers/scheduler.hpp"
#include "runtimes/suspending/suspending_stream.hpp"
#include "runtimes/system/endpoint.hpp"
#include "runtimes/system/frame_pool.hpp"
#include "runtimes/system/permit.hpp"

namespace crossover::fiber {

using blocking::ready;

// The part of a fiber's context that does not depend on how items are handed out.
class verbs {
  public:
    verbs(scheduler& on, const stop_state* stop) : on_(on), stop_(stop) {}
    // The same with another stop.
    verbs(const verbs& as, const stop_state* stop) : on_(as.on_), stop_(stop) {}

    // Of thousands of frames that are alive together, malloc keeps seven at hand.
    template <class T>
    using async = blocking::async<T, asyncio::frame_pool>;
    using task = async<void>;
    using stream = suspending_stream<verbs>;

    ready<> sleep_for(std::chrono::nanoseconds time);
    ready<stream> connect(endpoint to, time_point deadline = never);
    ready<> yield();

    scheduler& on() { return on_; }
    const stop_state* stop() const { return stop_; }

    // Suspends until the descriptor may be ready; throws `cancelled` or timed_out.
    void await_descriptor(int descriptor, direction d, time_point deadline, const char* what);

  private:
    scheduler& on_;
    const stop_state* stop_;
};

// Waiters first in, first out.
class waiter_list {
  public:
    // Suspends the caller until it is woken through this list; throws `cancelled`.
    void wait(verbs& ctx) {
        waiting self(ctx.on());
        (head_ ? tail_->next_waiter : head_) = &self;
        tail_ = &self;
        self.suspend(ctx.stop());
        if (!handed(self)) {
            unlink(self);
            throw cancelled();
        }
    }

    bool wake_one() {
        if (!head_) return false;
        waiting& first = *head_;
        head_ = first.next_waiter;
        first.next_waiter = &first;  // taken out: its own successor
        first.wake();
        return true;
    }

  private:
    static bool handed(const waiting& w) { return w.next_waiter == &w; }

    void unlink(waiting& w) {
        waiting* before = nullptr;
        for (waiting* at = head_; at != &w; at = at->next_waiter) before = at;
        (before ? before->next_waiter : head_) = w.next_waiter;
        if (tail_ == &w) tail_ = before;
    }

    waiting* head_ = nullptr;
    waiting* tail_ = nullptr;
};

class semaphore;
using permit = crossover::permit<semaphore>;

// A released permit goes to the fiber that has waited longest.
class semaphore {
  public:
    static constexpr discipline order = discipline::fifo;

    explicit semaphore(std::size_t permits) : free_(permits) {}

    ready<permit> acquire(verbs& ctx) {
        check(ctx.stop());
        if (free_ != 0)
            --free_;
        else
            waiters_.wait(ctx);
        return ready<permit>(permit(*this));
    }

    void release() {
        if (!waiters_.wake_one()) ++free_;
    }

  private:
    std::size_t free_;
    waiter_list waiters_;
};

// A bounded channel between fibers of one thread: a ring and two lists of waiters, who look again when they
// are woken.
template <class T>
class channel {
  public:
    static constexpr discipline order = discipline::barging;

    channel(arena& memory, std::size_t capacity) : ring_(memory, capacity) {}

    ready<bool> push(verbs& ctx, T value) {
        check(ctx.stop());
        while (!closed_ && ring_.full()) wait(ctx, room_);
        if (closed_) return ready<bool>(false);
        ring_.push(value);
        elements_.wake_one();
        return ready<bool>(true);
    }

    ready<std::optional<T>> pop(verbs& ctx) {
        check(ctx.stop());
        while (ring_.empty() && !closed_) wait(ctx, elements_);
        if (ring_.empty()) return ready<std::optional<T>>(std::nullopt);
        T value = ring_.pop();
        room_.wake_one();
        return ready<std::optional<T>>(value);
    }

    void close() {
        closed_ = true;
        while (elements_.wake_one()) {
        }
        while (room_.wake_one()) {
        }
    }

  private:
    // A fiber that was woken and finds its batch stopped passes the wake-up on.
    void wait(verbs& ctx, waiter_list& where) {
        where.wait(ctx);
        try {
            check(ctx.stop());
        } catch (...) {
            where.wake_one();
            throw;
        }
    }

    bounded_ring<T> ring_;
    bool closed_ = false;
    waiter_list elements_;
    waiter_list room_;
};

}  // namespace crossover::fiber

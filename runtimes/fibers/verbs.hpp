// The verbs of a context whose items are fibers: they suspend the fiber and never its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "runtimes/arena.hpp"
#include "runtimes/blocking/async.hpp"
#include "runtimes/endpoint.hpp"
#include "runtimes/fibers/scheduler.hpp"

namespace crossover::fiber {

using blocking::ready;

class verbs;

// A TCP connection owned by one item.
class stream {
  public:
    stream(scheduler& on, int descriptor);
    stream(stream&& other) noexcept
        : on_(other.on_), fd_(std::exchange(other.fd_, -1)), ended_(other.ended_) {}
    stream& operator=(stream&& other) noexcept {
        std::swap(on_, other.on_);
        std::swap(fd_, other.fd_);
        std::swap(ended_, other.ended_);
        return *this;
    }
    ~stream() { close(); }

    ready<std::size_t> read_some(verbs& ctx, std::span<std::byte> into, time_point deadline = never);
    ready<> write_all(verbs& ctx, std::span<const std::byte> from, time_point deadline = never);
    // Aborts the connection (linger 0) unless the peer has closed it.
    void close();

    int descriptor() const { return fd_; }

  private:
    scheduler* on_;
    int fd_;
    bool ended_ = false;
};

// The part of a fiber's context that does not depend on how items are handed out.
class verbs {
  public:
    verbs(scheduler& on, const stop_state* stop) : on_(on), stop_(stop) {}
    // The same with another stop.
    verbs(const verbs& as, const stop_state* stop) : on_(as.on_), stop_(stop) {}

    using stream = fiber::stream;

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

class [[nodiscard]] permit {
  public:
    explicit permit(semaphore& from) : from_(&from) {}
    permit(permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
    permit& operator=(permit&& other) noexcept {
        std::swap(from_, other.from_);
        return *this;
    }
    inline ~permit();

  private:
    semaphore* from_;
};

// FIFO: a released permit goes to the fiber that has waited longest.
class semaphore {
  public:
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

inline permit::~permit() {
    if (from_) from_->release();
}

// A bounded channel between fibers of one thread: a ring and two lists of waiters.
template <class T>
class channel {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    channel(arena& memory, std::size_t capacity) : ring_(memory.make_array<T>(capacity)) {}

    ready<bool> push(verbs& ctx, T value) {
        check(ctx.stop());
        while (!closed_ && count_ == ring_.size()) wait(ctx, room_);
        if (closed_) return ready<bool>(false);
        ring_[(first_ + count_++) % ring_.size()] = value;
        elements_.wake_one();
        return ready<bool>(true);
    }

    ready<std::optional<T>> pop(verbs& ctx) {
        check(ctx.stop());
        while (count_ == 0 && !closed_) wait(ctx, elements_);
        if (count_ == 0) return ready<std::optional<T>>(std::nullopt);
        T value = ring_[first_];
        first_ = (first_ + 1) % ring_.size();
        --count_;
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

    std::span<T> ring_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    bool closed_ = false;
    waiter_list elements_;
    waiter_list room_;
};

}  // namespace crossover::fiber

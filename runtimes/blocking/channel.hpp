// A bounded channel for blocked workers, in threads or processes: a lock-free ring in the arena, futexes only
// to sleep. The ring is Dmitry Vyukov's bounded MPMC queue: a slot's sequence number says whose turn it is.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "runtimes/blocking/async.hpp"
#include "runtimes/blocking/event_count.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/arena.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/system/processor.hpp"

namespace crossover::blocking {

template <class T, futex_scope Scope>
class basic_channel {
    static_assert(std::is_trivially_copyable_v<T>, "elements travel between processes");

  public:
    static constexpr discipline order = discipline::barging;

    // The capacity is rounded up to a power of two, at least 2.
    basic_channel(arena& memory, std::size_t capacity) {
        std::size_t size = 2;
        while (size < capacity) size *= 2;
        slots_ = memory.make_array<slot>(size);
        for (std::size_t i = 0; i < size; ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
    }

    // False once the channel is closed.
    ready<bool> push(verbs& ctx, T value) {
        check(ctx.stop());
        for (;;) {
            switch (try_push(value)) {
                case pushed::yes:
                    announce();
                    return ready<bool>(true);
                case pushed::closed:
                    return ready<bool>(false);
                case pushed::full:
                    room_.sleep(ctx, [this] { return closed() || !full(); });
            }
        }
    }

    // Empty once the channel is closed and drained.
    ready<std::optional<T>> pop(verbs& ctx) {
        check(ctx.stop());
        std::optional<T> value;
        while (!(value = try_pop())) {
            if (drained()) return ready<std::optional<T>>(std::nullopt);
            elements_.sleep(ctx, [this] { return drained() || !empty(); });
        }
        room_.wake();
        return ready<std::optional<T>>(value);
    }

    void close() {
        tail_.fetch_or(closed_bit, std::memory_order_seq_cst);
        elements_.wake_all();
        room_.wake_all();
    }

  private:
    struct slot {
        std::atomic<std::uint64_t> turn;  // = position: free to fill; = position + 1: filled
        T value;
    };

    // Closing marks the tail, so that no push can claim a slot afterwards and be overlooked by a pop.
    static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;

    slot& at(std::uint64_t position) { return slots_[position & (slots_.size() - 1)]; }

    bool closed() const { return (tail_.load(std::memory_order_seq_cst) & closed_bit) != 0; }

    bool drained() const {
        return (head_.load(std::memory_order_seq_cst) | closed_bit) == tail_.load(std::memory_order_seq_cst);
    }

    bool full() {
        std::uint64_t position = tail_.load(std::memory_order_seq_cst) & ~closed_bit;
        return at(position).turn.load(std::memory_order_seq_cst) < position;
    }

    bool empty() {
        std::uint64_t position = head_.load(std::memory_order_seq_cst);
        return at(position).turn.load(std::memory_order_seq_cst) < position + 1;
    }

    // After close every element wakes all: the one that takes the last must not leave the others asleep.
    void announce() {
        if (closed())
            elements_.wake_all();
        else
            elements_.wake();
    }

    enum class pushed { yes, full, closed };

    pushed try_push(const T& value) {
        std::uint64_t position = tail_.load(std::memory_order_relaxed);
        for (;;) {
            if (position & closed_bit) return pushed::closed;
            slot& s = at(position);
            std::uint64_t turn = s.turn.load(std::memory_order_acquire);
            if (turn < position) return pushed::full;
            if (turn == position &&
                tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
                s.value = value;
                s.turn.store(position + 1, std::memory_order_seq_cst);
                return pushed::yes;
            }
            if (turn != position) position = tail_.load(std::memory_order_relaxed);
        }
    }

    std::optional<T> try_pop() {
        std::uint64_t position = head_.load(std::memory_order_relaxed);
        for (;;) {
            slot& s = at(position);
            std::uint64_t turn = s.turn.load(std::memory_order_acquire);
            if (turn < position + 1) return std::nullopt;
            if (turn == position + 1 &&
                head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
                T value = s.value;
                s.turn.store(position + slots_.size(), std::memory_order_seq_cst);
                return value;
            }
            if (turn != position + 1) position = head_.load(std::memory_order_relaxed);
        }
    }

    std::span<slot> slots_;
    alignas(cache_line_bytes) std::atomic<std::uint64_t> head_{0};
    alignas(cache_line_bytes) std::atomic<std::uint64_t> tail_{0};
    event_count<Scope> elements_;  // notified when an element was added
    event_count<Scope> room_;      // notified when a slot became free
};

template <class T>
using channel = basic_channel<T, futex_scope::in_process>;
template <class T>
using shared_channel = basic_channel<T, futex_scope::shared>;

}  // namespace crossover::blocking

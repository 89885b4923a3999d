// A worker's deque of calls for help with its nested batches: Chase and Lev's work-stealing deque.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtimes/scheduler/asymmetric_fence.hpp"
#include "runtimes/system/processor.hpp"

namespace crossover::pool {

template <futex_scope Scope>
struct nested_batch;

// The owner adds and retracts at the bottom, thieves steal the oldest at the top. A call for help is not an
// item: whoever holds one claims items from the batch itself. So a full deque costs parallelism, never an
// item. The owner writes plainly and the thief pays for the fence.
template <futex_scope Scope>
class help_deque {
  public:
    using batch = nested_batch<Scope>;

    // Owner only. Adds up to `count` calls for help; returns how many there was room for. A light fence.
    std::size_t add(batch& to, std::size_t count) {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        const std::int64_t held = bottom - top_.load(std::memory_order_acquire);
        count = std::min(count, ring_.size() - static_cast<std::size_t>(held));
        for (std::size_t i = 0; i < count; ++i)
            at(bottom + static_cast<std::int64_t>(i)).store(&to, std::memory_order_relaxed);
        bottom_.store(bottom + static_cast<std::int64_t>(count), std::memory_order_release);
        asymmetric_fence<Scope>::light();
        return count;
    }

    // Owner only. Takes the newest `count` back; returns how many of them had been stolen.
    std::size_t retract(std::size_t count) {
        const std::int64_t end = bottom_.load(std::memory_order_relaxed);
        const std::int64_t mine = end - static_cast<std::int64_t>(count);
        bottom_.store(mine, std::memory_order_release);
        asymmetric_fence<Scope>::light();
        std::int64_t top = top_.load(std::memory_order_seq_cst);
        if (top < mine)
            return 0;  // thieves still have older ones before them: nobody can reach ours any more
        while (top < end && !top_.compare_exchange_weak(top, end, std::memory_order_seq_cst)) {
        }
        bottom_.store(end, std::memory_order_release);
        return static_cast<std::size_t>(top - mine);
    }

    // Any other worker. Takes the oldest if `wanted(batch)` says so just before the theft; null when there is
    // none. While the theft succeeds, the call for help was there from the call of `wanted` on.
    template <class Wanted>
    batch* steal(Wanted wanted) {
        std::int64_t top = top_.load(std::memory_order_seq_cst);
        asymmetric_fence<Scope>::heavy();
        if (top >= bottom_.load(std::memory_order_seq_cst)) return nullptr;
        batch* oldest = at(top).load(std::memory_order_acquire);
        if (!wanted(*oldest)) return nullptr;
        return top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst) ? oldest : nullptr;
    }

    // Takes all of them, for nobody. Only while the owner does not use it.
    void clear() { top_.store(bottom_.load(std::memory_order_seq_cst), std::memory_order_seq_cst); }

    bool empty() const {
        return top_.load(std::memory_order_seq_cst) >= bottom_.load(std::memory_order_seq_cst);
    }

  private:
    static constexpr std::size_t size = 1024;

    std::atomic<batch*>& at(std::int64_t position) {
        return ring_[static_cast<std::size_t>(position) % size];
    }

    alignas(cache_line_bytes) std::atomic<std::int64_t> top_{0};
    alignas(cache_line_bytes) std::atomic<std::int64_t> bottom_{0};
    alignas(cache_line_bytes) std::array<std::atomic<batch*>, size> ring_{};
};

}  // namespace crossover::pool

// The unclaimed items of a nested batch: its owner takes them at the front, thieves at the back.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtimes/scheduler/asymmetric_fence.hpp"
#include "runtimes/system/futex.hpp"

namespace crossover::pool {

// Chase and Lev's deque, filled once. Until a thief has entered, a claim by the owner is one plain store; a
// thief pays for that with a heavy fence when it enters.
template <futex_scope Scope>
class claims {
  public:
    explicit claims(std::size_t count) : back_(static_cast<std::int64_t>(count)) {}

    // Owner only, in order. True: `index` is claimed. False: a thief has entered, ask contested(index). Not
    // for the last item unless no thief can enter any more.
    bool take(std::size_t index) {
        front_.store(static_cast<std::int64_t>(index) + 1, std::memory_order_release);
        asymmetric_fence<Scope>::light();
        return !entered_.load(std::memory_order_acquire);
    }

    // Owner only, in order. True: `index` is claimed. False: it and all after it belong to thieves.
    bool contested(std::size_t index) {
        const auto mine = static_cast<std::int64_t>(index);
        front_.store(mine + 1, std::memory_order_seq_cst);
        std::int64_t end = back_.load(std::memory_order_seq_cst);
        if (mine + 1 < end) return true;
        return mine + 1 == end && back_.compare_exchange_strong(end, mine, std::memory_order_seq_cst);
    }

    // A thief, before its first steal().
    void enter() {
        entered_.store(true, std::memory_order_seq_cst);
        asymmetric_fence<Scope>::heavy();
    }

    // The last item that is left.
    std::optional<std::size_t> steal() {
        std::int64_t end = back_.load(std::memory_order_seq_cst);
        while (front_.load(std::memory_order_seq_cst) < end)
            if (back_.compare_exchange_weak(end, end - 1, std::memory_order_seq_cst))
                return static_cast<std::size_t>(end - 1);
        return std::nullopt;
    }

  private:
    std::atomic<std::int64_t> front_{0};
    std::atomic<std::int64_t> back_;
    std::atomic<bool> entered_{false};
};

}  // namespace crossover::pool

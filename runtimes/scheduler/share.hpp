// One worker's part of a flat batch: a range of indices, from which idle workers steal.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace crossover::pool {

// Each item is claimed by itself, but by its own worker at the front and by thieves at the back: in the
// common case a claim meets no other worker's, however many there are.
class share {
  public:
    // The most items that are shared out at once.
    static constexpr std::size_t limit = std::numeric_limits<std::uint32_t>::max();

    struct range {
        std::uint32_t first;
        std::uint32_t end;
        bool empty() const { return first >= end; }
    };

    range now() const { return unpacked(range_.load(std::memory_order_seq_cst)); }

    // Its own worker while it is empty, or whoever begins a batch.
    void set(range r) { range_.store(packed(r), std::memory_order_seq_cst); }

    // Takes all that is left, and says how many.
    std::size_t drop() {
        const range r = unpacked(range_.exchange(0, std::memory_order_acq_rel));
        return r.empty() ? 0 : r.end - r.first;
    }

    // The next item. Calls note(index) before the claim.
    template <class Note>
    std::optional<std::uint32_t> take(Note note) {
        std::uint64_t seen = range_.load(std::memory_order_acquire);
        for (;;) {
            range r = unpacked(seen);
            if (r.empty()) return std::nullopt;
            note(r.first);
            if (range_.compare_exchange_weak(seen, packed({r.first + 1, r.end}), std::memory_order_acq_rel))
                return r.first;
        }
    }

    // Its own worker while it is empty: takes the back half of `other`, rounded up, and says how many that
    // are.
    std::uint32_t steal_from(share& other) {
        if (other.now().empty()) return 0;
        const std::uint32_t before = fills_.load(std::memory_order_relaxed);
        fills_.store(before + 1, std::memory_order_seq_cst);
        const auto stolen = other.give_half();
        if (stolen) set(*stolen);
        fills_.store(before + 2, std::memory_order_seq_cst);
        return stolen ? stolen->end - stolen->first : 0;
    }

    // Grows by 2 with each attempt of its own worker to steal, and is odd during one: what is being stolen is
    // in neither share.
    std::uint32_t fills() const { return fills_.load(std::memory_order_seq_cst); }

    // For the successor of a worker that died, maybe during a theft.
    void clear() {
        drop();
        fills_.store(0, std::memory_order_release);
    }

  private:
    std::optional<range> give_half() {
        std::uint64_t seen = range_.load(std::memory_order_acquire);
        for (;;) {
            range r = unpacked(seen);
            if (r.empty()) return std::nullopt;
            std::uint32_t middle = r.first + (r.end - r.first) / 2;
            if (range_.compare_exchange_weak(seen, packed({r.first, middle}), std::memory_order_acq_rel))
                return range{middle, r.end};
        }
    }

    static std::uint64_t packed(range r) { return std::uint64_t{r.end} << 32 | r.first; }
    static range unpacked(std::uint64_t both) {
        return {static_cast<std::uint32_t>(both), static_cast<std::uint32_t>(both >> 32)};
    }

    std::atomic<std::uint64_t> range_{0};
    std::atomic<std::uint32_t> fills_{0};
};

}  // namespace crossover::pool

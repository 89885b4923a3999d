// One worker's part of a flat batch: a range of indices, from which idle workers steal.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace crossover::pool {

// Each item is claimed by itself, but by its own worker at the front and by thieves at the back: in the
// common case a claim meets no other worker's, however many there are.
class share {
  public:
    // The most items that are shared out at once.
    static constexpr std::size_t limit = (std::size_t{1} << 28) - 1;
    // Batches are numbered from 1 to this, and over again.
    static constexpr std::uint32_t batches = (1U << 8) - 1;

    // Carries its batch's number: a claim whose worker slept from one batch into the next fails, although the
    // range may be the same.
    struct range {
        std::uint32_t first;
        std::uint32_t end;
        std::uint32_t batch;
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
            if (range_.compare_exchange_weak(seen, packed({r.first + 1, r.end, r.batch}),
                                             std::memory_order_acq_rel))
                return r.first;
        }
    }

    // Its own worker while it is empty: takes the back half of `other`, rounded up, and says how many that
    // are. Calls note(number of the batch) before the theft.
    template <class Note>
    std::uint32_t steal_from(share& other, Note note) {
        if (other.now().empty()) return 0;
        const std::uint32_t before = thefts_.load(std::memory_order_relaxed);
        thefts_.store(before + 1, std::memory_order_seq_cst);
        const auto stolen = other.give_half(note);
        if (stolen) set(*stolen);
        thefts_.store(before + 2, std::memory_order_seq_cst);
        return stolen ? stolen->end - stolen->first : 0;
    }

    // Grows by 2 with each attempt of its own worker to steal, and is odd during one: what is being stolen is
    // in neither share.
    std::uint32_t thefts() const { return thefts_.load(std::memory_order_seq_cst); }

    // For the successor of a worker that died, maybe during a theft.
    void clear() {
        drop();
        const std::uint32_t before = thefts_.load(std::memory_order_relaxed);
        thefts_.store(before + before % 2, std::memory_order_seq_cst);
    }

  private:
    template <class Note>
    std::optional<range> give_half(Note note) {
        std::uint64_t seen = range_.load(std::memory_order_acquire);
        for (;;) {
            range r = unpacked(seen);
            if (r.empty()) return std::nullopt;
            note(r.batch);
            std::uint32_t middle = r.first + (r.end - r.first) / 2;
            if (range_.compare_exchange_weak(seen, packed({r.first, middle, r.batch}),
                                             std::memory_order_acq_rel))
                return range{middle, r.end, r.batch};
        }
    }

    static std::uint64_t packed(range r) {
        return std::uint64_t{r.batch} << 56 | std::uint64_t{r.end} << 28 | r.first;
    }
    static range unpacked(std::uint64_t all) {
        return {static_cast<std::uint32_t>(all & limit), static_cast<std::uint32_t>(all >> 28 & limit),
                static_cast<std::uint32_t>(all >> 56)};
    }

    std::atomic<std::uint64_t> range_{0};
    std::atomic<std::uint32_t> thefts_{0};
};

}  // namespace crossover::pool

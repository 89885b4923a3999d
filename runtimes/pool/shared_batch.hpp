// A batch on a pool of threads: its units, its rules, and how its owner learns that others have done their
// part.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtimes/batch.hpp"
#include "runtimes/pool/context.hpp"
#include "runtimes/pool/idle_workers.hpp"

namespace crossover::pool {

// A unit is one item; or, where fewer items may be in flight than there are workers, a lane that runs one
// item after the other. Lies on the stack of whoever runs the batch, who stays until every unit has ended.
class shared_batch {
  public:
    static constexpr std::size_t most_items = (std::size_t{1} << 30) - 1;

    // At most most_items.
    shared_batch(std::size_t items, job<context> each, const void* data, const policy& rules,
                 const stop_state* outer, std::size_t workers)
        : state(rules, outer),
          each_(each),
          data_(data),
          items_(static_cast<std::uint32_t>(items)),
          units_(static_cast<std::uint32_t>(
              std::min(items, rules.in_flight >= workers ? items : rules.in_flight))),
          left_(units_) {}

    batch_state state;

    std::uint32_t units() const { return units_; }

    // Runs the items of one unit, until the batch is stopped. True when one of them has stopped it: then the
    // caller wakes whoever is blocked.
    bool run_unit(context& ctx, std::uint32_t unit) {
        if (units_ == items_) return !state.stopped() && run_item(ctx, unit);
        bool stops = false;
        while (!state.stopped()) {
            std::uint32_t index = next_.fetch_add(1, std::memory_order_relaxed);
            if (index >= items_) break;
            stops |= run_item(ctx, index);
        }
        return stops;
    }

    // True when nobody but the owner, who did `own` units, has had a part in the batch.
    bool all_done_by_owner(std::uint32_t own) const { return left_.load(std::memory_order_acquire) == own; }

    // A thief has ended its part. The batch may be gone afterwards.
    void leave(std::uint32_t done) {
        std::uint32_t left = left_.fetch_sub(done, std::memory_order_acq_rel) - done;
        if ((left & count) == 0 && (left & owner_parked) != 0) futex_wake(left_, 1);
    }

    // A thief has pushed units of this batch: an owner that sleeps but would help is woken.
    void offer_to_owner() {
        if ((left_.load(std::memory_order_seq_cst) & owner_would_help) == 0) return;
        left_.fetch_and(~owner_would_help, std::memory_order_seq_cst);
        futex_wake(left_, 1);
    }

    // Owner: notes its own part; true when all has ended.
    bool leave_as_owner(std::uint32_t done) {
        left_.fetch_sub(done, std::memory_order_acq_rel);
        return ended();
    }

    bool ended() const { return (left_.load(std::memory_order_acquire) & count) == 0; }

    // Owner that has nothing to do with the items: blocks until all have ended.
    void await_end() {
        for (;;) {
            std::uint32_t left = left_.fetch_or(owner_parked, std::memory_order_seq_cst) | owner_parked;
            if ((left & count) == 0) return;
            futex_wait(left_, left);
        }
    }

    // Owner that is a worker: blocks until the end of a part or an offer. `look` is called once more before,
    // and may find work: then it returns true and nothing blocks.
    template <class Look>
    void park(Look look) {
        constexpr std::uint32_t both = owner_parked | owner_would_help;
        std::uint32_t left = left_.fetch_or(both, std::memory_order_seq_cst) | both;
        if ((left & count) != 0 && !look()) futex_wait(left_, left);
    }

  private:
    static constexpr std::uint32_t owner_parked = std::uint32_t{1} << 31;
    static constexpr std::uint32_t owner_would_help = std::uint32_t{1} << 30;
    static constexpr std::uint32_t count = owner_would_help - 1;

    bool run_item(context& ctx, std::size_t index) {
        return run_noted(state, index, [&] { each_(ctx, data_, index).finish(); });
    }

    job<context> each_;
    const void* data_;
    std::uint32_t items_;
    std::uint32_t units_;
    std::atomic<std::uint32_t> next_{0};
    std::atomic<std::uint32_t> left_;  // units that have not ended, and what the owner does
};

}  // namespace crossover::pool

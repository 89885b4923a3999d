// A worker's own tasks: it pushes and pops at one end, others steal the oldest at the other (Chase and Lev's
// deque).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace crossover::pool {

class shared_batch;

// Units [first, last) of a batch that are still to run.
struct task {
    shared_batch* batch;
    std::uint32_t first;
    std::uint32_t last;
};

// Every operation is sequentially consistent where the algorithm needs a fence: that costs the same and
// sanitizers understand it. Positions only ever name a place in the sequence of pushes; a slot is a position
// modulo the size.
class task_deque {
  public:
    using position = std::int64_t;

    // Of one worker's nested tasks: a range splits into at most 31, so this is some hundred levels of wide
    // batches.
    static constexpr std::size_t capacity = 4096;

    // The position of the next push. Owner only.
    position end() const { return bottom_.load(std::memory_order_relaxed); }

    // False when full. Owner only.
    bool push(const task& t) {
        position b = bottom_.load(std::memory_order_relaxed);
        if (b - top_.load(std::memory_order_acquire) >= static_cast<position>(capacity)) return false;
        at(b).store(t);
        bottom_.store(b + 1, std::memory_order_seq_cst);
        return true;
    }

    // The newest task, if its position is not before `from`. Owner only.
    std::optional<task> pop(position from) {
        position b = bottom_.load(std::memory_order_relaxed) - 1;
        if (b < from) return std::nullopt;
        bottom_.store(b, std::memory_order_seq_cst);
        position t = top_.load(std::memory_order_seq_cst);
        if (t < b) return at(b).load();
        std::optional<task> last;
        if (t == b && top_.compare_exchange_strong(t, t + 1, std::memory_order_seq_cst)) last = at(b).load();
        bottom_.store(b + 1, std::memory_order_relaxed);
        return last;
    }

    // The oldest task, unless its position is before `from` or `still_wanted`, asked after it was read, says
    // no. While top stays what it is the task at it stays, too; so what `still_wanted` has seen holds for the
    // task that is taken.
    template <class Predicate>
    std::optional<task> steal(position from, Predicate still_wanted) {
        position t = top_.load(std::memory_order_seq_cst);
        if (t < from || t >= bottom_.load(std::memory_order_seq_cst)) return std::nullopt;
        task oldest = at(t).load();
        if (!still_wanted() || !top_.compare_exchange_strong(t, t + 1, std::memory_order_seq_cst))
            return std::nullopt;
        return oldest;
    }

    std::optional<task> steal() {
        return steal(std::numeric_limits<position>::min(), [] { return true; });
    }

  private:
    // A thief may read a slot while it is filled again; it then fails to move top and drops what it read.
    class slot {
      public:
        void store(const task& t) {
            batch_.store(t.batch, std::memory_order_relaxed);
            units_.store(std::uint64_t{t.last} << 32 | t.first, std::memory_order_relaxed);
        }
        task load() const {
            std::uint64_t units = units_.load(std::memory_order_relaxed);
            return {batch_.load(std::memory_order_relaxed), static_cast<std::uint32_t>(units),
                    static_cast<std::uint32_t>(units >> 32)};
        }

      private:
        std::atomic<shared_batch*> batch_{nullptr};
        std::atomic<std::uint64_t> units_{0};
    };

    slot& at(position p) { return slots_[static_cast<std::size_t>(p) % capacity]; }

    // The owner's end and the thieves' end lie on lines of their own: pushing does not disturb those who look
    // for work.
    alignas(64) std::atomic<position> bottom_{0};
    alignas(64) std::atomic<position> top_{0};
    alignas(64) std::array<slot, capacity> slots_;
};

}  // namespace crossover::pool

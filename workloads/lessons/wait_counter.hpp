// Waits in a batch that will be stopped, with a count of how each ended: for the lessons.
#pragma once

#include <atomic>
#include <chrono>

#include "runtimes/contract/runtime.hpp"

namespace crossover {

// How the waits of one batch ended. Whoever began has ended in one of the other ways, or it leaks.
struct wait_counts {
    std::uint64_t begun, waited, failed, cut;

    std::uint64_t ended() const { return waited + failed + cut; }
    bool operator==(const wait_counts&) const = default;
};

// Counts in the arena, where items in all threads and processes see it.
class wait_counter {
  public:
    // Waits and notes how that ended; `cancelled` passes.
    template <can_sleep C>
    typename C::template async<void> wait(C& ctx, std::chrono::nanoseconds time) {
        begun_.fetch_add(1, std::memory_order_relaxed);
        try {
            co_await ctx.sleep_for(time);
        } catch (const cancelled&) {
            cut_.fetch_add(1, std::memory_order_relaxed);
            throw;
        }
        waited_.fetch_add(1, std::memory_order_relaxed);
    }

    // The item whose wait has just ended gives no result: takes the wait back and throws.
    [[noreturn]] void fail() {
        waited_.fetch_sub(1, std::memory_order_relaxed);
        failed_.fetch_add(1, std::memory_order_relaxed);
        throw std::runtime_error("this one fails, as planned");
    }

    // After the batch.
    wait_counts seen() const { return {begun_.load(), waited_.load(), failed_.load(), cut_.load()}; }

  private:
    std::atomic<std::uint64_t> begun_{0}, waited_{0}, failed_{0}, cut_{0};
};

}  // namespace crossover

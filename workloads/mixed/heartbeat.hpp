// A task that wants to run every millisecond, and how late it is each time.
#pragma once

#include <atomic>
#include <chrono>

#include "runtimes/contract/runtime.hpp"
#include "workloads/servers/load/latency_buckets.hpp"

namespace crossover {

// In the arena: the beating task may run in another process.
class heartbeat {
  public:
    static constexpr std::chrono::milliseconds period{1};

    void forget() { seen_ = latencies(); }
    latencies measured() const { return seen_; }

    // Beats until `left` is 0, at least once. A beat that comes late makes those late that were due
    // meanwhile: each counts from its own time (intended); service counts what the last sleep took too long.
    template <can_sleep C>
    typename C::template async<void> beat(C& ctx, const std::atomic<std::uint64_t>& left) {
        using clock = std::chrono::steady_clock;
        clock::time_point due = clock::now();
        do {
            due += period;
            const clock::time_point asleep = clock::now();
            const std::chrono::nanoseconds rest =
                std::max<std::chrono::nanoseconds>(due - asleep, std::chrono::nanoseconds(0));
            co_await ctx.sleep_for(rest);
            const clock::time_point woken = clock::now();
            seen_.service.record(nanoseconds(woken - asleep - rest));
            for (; due + period <= woken; due += period) seen_.intended.record(nanoseconds(woken - due));
            seen_.intended.record(nanoseconds(woken - due));
        } while (left.load(std::memory_order_acquire) > 0);
    }

  private:
    static std::uint64_t nanoseconds(std::chrono::nanoseconds d) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(d.count(), 0));
    }

    latencies seen_;
};

}  // namespace crossover

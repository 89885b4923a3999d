// A counting semaphore for blocked workers, in threads or processes: a futex to sleep, no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtimes/blocking/async.hpp"
#include "runtimes/blocking/event_count.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/system/permit.hpp"

namespace crossover::blocking {

template <futex_scope Scope>
class basic_semaphore {
  public:
    static constexpr discipline order = discipline::barging;
    using permit = crossover::permit<basic_semaphore>;

    explicit basic_semaphore(std::size_t permits) : free_(static_cast<std::uint32_t>(permits)) {}

    ready<permit> acquire(verbs& ctx) {
        check(ctx.stop());
        while (!try_acquire())
            given_back_.sleep(ctx, [this] { return free_.load(std::memory_order_seq_cst) != 0; });
        return ready<permit>(permit(*this));
    }

    void release() {
        free_.fetch_add(1, std::memory_order_seq_cst);
        given_back_.wake();
    }

  private:
    bool try_acquire() {
        std::uint32_t free = free_.load(std::memory_order_relaxed);
        while (free != 0)
            if (free_.compare_exchange_weak(free, free - 1, std::memory_order_acquire,
                                            std::memory_order_relaxed))
                return true;
        return false;
    }

    std::atomic<std::uint32_t> free_;
    event_count<Scope> given_back_;
};

// semaphore, for threads, is declared with the verbs.
using shared_semaphore = basic_semaphore<futex_scope::shared>;

}  // namespace crossover::blocking

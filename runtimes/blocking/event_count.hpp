// Where blocked workers, threads or processes, sleep until something changes.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtimes/blocking/verbs.hpp"
#include "runtimes/system/futex.hpp"
#include "runtimes/system/processor.hpp"

namespace crossover::blocking {

// Whoever wakes a sleeper takes it off the count, so that nobody calls it again while it is on its way: one
// system call per sleep, not one per change. At any time no more workers sleep than are counted or called;
// calls that nobody needed any more only make a later sleeper look twice.
template <futex_scope Scope>
class event_count {
  public:
    // Blocks unless changed() is already true, until called or by chance earlier. Throws `cancelled` as verbs
    // do.
    template <class Changed>
    void sleep(verbs& ctx, Changed changed) {
        sleepers_.fetch_add(1, std::memory_order_seq_cst);
        try {
            while (!changed()) {
                if (take_one(calls_)) return;
                ctx.own().wait(ctx.stop(), &calls_, 0, never);
            }
        } catch (...) {
            if (cancel_park()) wake();  // the call that was meant for this one goes to the next
            throw;
        }
        cancel_park();
    }

    // To be called after a sequentially consistent store of what changed() looks at: one of the two sees the
    // other.
    void wake() {
        if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
        calls_.fetch_add(1, std::memory_order_seq_cst);
        take_one(sleepers_);
        futex_wake(calls_, 1, Scope);
    }

    void wake_all() {
        while (sleepers_.load(std::memory_order_seq_cst) != 0) wake();
    }

  private:
    // Leaves without having been called; true when a call has come nevertheless and is now answered. It is
    // looked for first: it may have woken this worker, and would else be missed by the next.
    bool cancel_park() {
        if (take_one(calls_)) return true;
        take_one(sleepers_);
        return false;
    }

    static bool take_one(std::atomic<std::uint32_t>& count) {
        std::uint32_t n = count.load(std::memory_order_seq_cst);
        while (n != 0)
            if (count.compare_exchange_weak(n, n - 1, std::memory_order_seq_cst)) return true;
        return false;
    }

    alignas(cache_line_bytes) std::atomic<std::uint32_t> sleepers_{0};  // that nobody has called yet
    std::atomic<std::uint32_t> calls_{0};                               // that nobody has answered yet
};

}  // namespace crossover::blocking

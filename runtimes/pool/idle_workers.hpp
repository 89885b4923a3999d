// Who has nothing to do: searching workers look for tasks, sleeping ones wait to be summoned.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace crossover::pool {

inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

inline void futex_wake(std::atomic<std::uint32_t>& word, std::uint32_t how_many) {
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, how_many, nullptr, nullptr, 0);
}

// Keeps the promise that a task is never overlooked while somebody sleeps: whoever pushes summons as many as
// there are units, less those who search already; the last searcher that finds something summons another; and
// a worker that lies down looks once more after it has said so.
class idle_workers {
  public:
    // Tells of `units` that can be stolen now. One load when nobody sleeps or enough are searching.
    void summon(std::uint32_t units) {
        std::uint64_t state = state_.load(std::memory_order_seq_cst);
        std::uint32_t called = 0;
        do {
            if (searching(state) >= units || sleeping(state) == 0) return;
            called = std::min(units - searching(state), sleeping(state));
        } while (!state_.compare_exchange_weak(state, state - called * one_sleeping + called,
                                               std::memory_order_seq_cst));
        calls_.fetch_add(called, std::memory_order_seq_cst);
        futex_wake(calls_, called);
    }

    void start_search() { state_.fetch_add(1, std::memory_order_seq_cst); }

    void found() {
        if (searching(state_.fetch_sub(1, std::memory_order_seq_cst)) == 1) summon(1);
    }

    std::uint32_t searching() const { return searching(state_.load(std::memory_order_relaxed)); }

    // From searching to sleeping.
    void lie_down() { state_.fetch_add(one_sleeping - 1, std::memory_order_seq_cst); }

    // Back to searching, because a last look found something, which the worker holds already: it must not
    // block, so it either strikes one sleeper off or answers a call, whichever there is. Calls are for
    // anybody: the one that was meant for this worker may have been answered by another, who then counts as
    // sleeping in its place.
    void get_up() {
        for (;;) {
            std::uint64_t state = state_.load(std::memory_order_seq_cst);
            if (sleeping(state) == 0) {
                if (answer()) return;
            } else if (state_.compare_exchange_weak(state, state - one_sleeping + 1,
                                                    std::memory_order_seq_cst)) {
                return;
            }
        }
    }

    // Blocks until summoned; then the worker counts as searching.
    void await_call() {
        while (!answer()) futex_wait(calls_, 0);
    }

  private:
    static constexpr std::uint64_t one_sleeping = std::uint64_t{1} << 32;
    static std::uint32_t searching(std::uint64_t state) { return static_cast<std::uint32_t>(state); }
    static std::uint32_t sleeping(std::uint64_t state) { return static_cast<std::uint32_t>(state >> 32); }

    bool answer() {
        std::uint32_t calls = calls_.load(std::memory_order_seq_cst);
        while (calls != 0)
            if (calls_.compare_exchange_weak(calls, calls - 1, std::memory_order_seq_cst)) return true;
        return false;
    }

    alignas(64) std::atomic<std::uint64_t> state_{0};  // sleeping << 32 | searching
    alignas(64) std::atomic<std::uint32_t> calls_{0};  // summoned and not yet awake
};

}  // namespace crossover::pool

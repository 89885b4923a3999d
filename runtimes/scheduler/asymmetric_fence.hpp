// A fence that is free on the frequent side and costs a system call on the rare side.
#pragma once

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "runtimes/system/futex.hpp"

namespace crossover::pool {

// Of two workers that each write one word and then read the other's, at least one sees the other's write,
// if one calls light() in between and the other heavy(). heavy() makes the kernel interrupt the cores that
// run the others (membarrier), so light() only has to keep the compiler from reordering. Where the kernel
// has no membarrier both are full fences. The idea is Dice, Huang and Yang's ("Asymmetric Dekker
// synchronization", 2001); liburcu and folly have it in this form.
template <futex_scope Scope>
class asymmetric_fence {
  public:
    // Once in each process, before its first worker starts.
    static void join() {
        constexpr int command = Scope == futex_scope::in_process ? MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
                                                                 : MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
        by_kernel_.store(::syscall(SYS_membarrier, command, 0, 0) == 0, std::memory_order_relaxed);
    }

    static void light() {
        if (by_kernel_.load(std::memory_order_relaxed)) [[likely]]
            std::atomic_signal_fence(std::memory_order_seq_cst);
        else
            full();
    }

    static void heavy() {
        constexpr int command = Scope == futex_scope::in_process ? MEMBARRIER_CMD_PRIVATE_EXPEDITED
                                                                 : MEMBARRIER_CMD_GLOBAL_EXPEDITED;
        if (by_kernel_.load(std::memory_order_relaxed))
            ::syscall(SYS_membarrier, command, 0, 0);
        else
            full();
    }

  private:
    static void full() {
#if defined(__SANITIZE_THREAD__)
        static std::atomic<int> word{0};  // ThreadSanitizer knows no fences
        word.fetch_add(1, std::memory_order_seq_cst);
#else
        std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
    }

    static inline std::atomic<bool> by_kernel_{false};
};

}  // namespace crossover::pool

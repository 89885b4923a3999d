// Distinguishes what this process created from what fork() copied into it, which belongs to the parent.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

namespace crossover {

// A member of what a child must not use or undo.
class process_mark {
  public:
    process_mark() noexcept {
        static const int counts = ::pthread_atfork(nullptr, nullptr, [] { forks_.fetch_add(1); });
        static_cast<void>(counts);
    }

    bool of_this_process() const noexcept { return made_after_ == forks_.load(std::memory_order_relaxed); }

  private:
    static inline constinit std::atomic<std::uint32_t> forks_{0};  // between the first process and this one
    std::uint32_t made_after_ = forks_.load(std::memory_order_relaxed);
};

}  // namespace crossover

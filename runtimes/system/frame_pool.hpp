// Memory for coroutine frames, futures and callbacks: free lists by size, one set per thread, so that the
// fast path needs no lock and no malloc.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace crossover::asyncio {

// Blocks may be freed by another thread than the one that took them; they then serve that thread. Memory is
// kept for reuse, it does not return to the system. Under ASan and TSan each block is a malloc of its own, so
// that misuse is seen.
class frame_pool {
  public:
    static constexpr std::size_t step = 16;                 // also the alignment
    static constexpr std::size_t largest = 2048;            // of those whose list is found without a call
    static constexpr std::size_t largest_kept = 16 * 1024;  // beyond it, each is a malloc of its own

    static void* allocate(std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        return refill(bytes);
#else
        if (bytes > largest) [[unlikely]]
            return refill(bytes);
        const std::size_t kind = (bytes + step - 1) / step;
        if (block* const b = local_.free[kind]) [[likely]] {
            local_.free[kind] = b->next;
            return b;
        }
        if (static_cast<std::size_t>(local_.end - local_.begin) >= kind * step) [[likely]] {
            std::byte* const at = local_.begin;
            local_.begin += kind * step;
            return at;
        }
        return refill(bytes);
#endif
    }

    // `bytes` as given to allocate().
    static void release(void* at, std::size_t bytes) noexcept {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        release_large(at, bytes);
#else
        if (bytes > largest) [[unlikely]]
            return release_large(at, bytes);
        const std::size_t kind = (bytes + step - 1) / step;
        local_.free[kind] = ::new (at) block(local_.free[kind]);
#endif
    }

  private:
    struct block {
        explicit block(block* n) noexcept : next(n) {}
        block* next;
    };
    static constexpr std::size_t kinds = largest / step + 1;
    static constexpr std::size_t large_step = 1024;
    struct lists {
        std::array<block*, kinds> free;
        std::array<block*, largest_kept / large_step + 1> large;
        std::byte* begin;  // what is left of the present chunk
        std::byte* end;
    };
    struct depot;  // what ended threads have left
    struct donor;  // hands a thread's lists to the depot when it ends

    // Out of line, also lest GCC see malloc and free through the pool and warn of a mismatch.
    static void* refill(std::size_t bytes);
    static void* allocate_large(std::size_t bytes);
    static void release_large(void* at, std::size_t bytes) noexcept;
    static void donate_at_thread_end();

    static inline constinit thread_local lists local_{};
};

}  // namespace crossover::asyncio

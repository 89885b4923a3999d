// What differs between processors: the size of a cache line and of a page, and the pause instruction.
#pragma once

#include <unistd.h>

#include <cstddef>

namespace crossover {

// What two threads write lies this far apart, or each would take the line from the other. A fixed number: the
// library's own changes with the compiler's flags. Arm's and IBM's cores have lines of up to 128 bytes.
#if defined(__x86_64__) || defined(__i386__)
inline constexpr std::size_t cache_line_bytes = 64;
#else
inline constexpr std::size_t cache_line_bytes = 128;
#endif

// 4 KiB on x86; 16 or 64 on some kernels of others.
inline std::size_t page_bytes() noexcept {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

// Called in a loop that looks for a change: leaves the core to its other hardware thread for a moment.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");  // `yield` does nothing on most of these cores
#endif
}

}  // namespace crossover

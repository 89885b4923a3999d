// What the origin sends as the body of item n, and how a client can verify it without the origin's code.
#pragma once

#include <cstdint>

namespace crossover {

// A body is a sequence of little-endian 64-bit words, cut after `bytes` bytes. Word 0 is first_word(n), so
// that two items never look alike; word k > 0 is k * body_step modulo 2^64, the same in every body, so that
// the origin keeps one copy ready.
inline constexpr std::uint64_t body_step = 0x9e3779b97f4a7c15;
inline constexpr std::uint64_t largest_body_bytes = 16 << 20;

// A bijection that scatters neighbouring numbers (the finaliser of splitmix64).
constexpr std::uint64_t first_word(std::uint64_t n) {
    n += body_step;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
    n = (n ^ n >> 27) * 0x94d049bb133111eb;
    return n ^ n >> 31;
}

// The checksum that a client must see: the sum of (2k + 1) * word k modulo 2^64, the last word padded with
// zeros. In closed form, since for m words the sum of k(2k + 1) is m(m - 1)(4m + 1) / 6.
constexpr std::uint64_t item_checksum(std::uint64_t n, std::uint64_t bytes) {
    const std::uint64_t m = bytes / 8;
    std::uint64_t sum = 0;
    if (m > 0) {
        const std::uint64_t half = m * (m - 1) / 2;
        const std::uint64_t weights = half % 3 == 0
                                          ? half / 3 * (4 * m + 1)
                                          : half * ((4 * m + 1) / 3);  // divided before it can overflow
        sum = first_word(n) + body_step * weights;
    }
    if (const std::uint64_t rest = bytes % 8; rest > 0) {
        const std::uint64_t last = m == 0 ? first_word(n) : m * body_step;
        sum += (2 * m + 1) * (last & ((std::uint64_t{1} << 8 * rest) - 1));
    }
    return sum;
}

}  // namespace crossover

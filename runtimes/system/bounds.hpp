// Deadlines and counts, with the values that mean unbounded.
#pragma once

#include <chrono>
#include <cstddef>
#include <limits>

namespace crossover {

using time_point = std::chrono::steady_clock::time_point;

inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
inline constexpr time_point never = time_point::max();

// `never` for a time that has no end.
inline time_point from_now(std::chrono::nanoseconds time) {
    const time_point now = std::chrono::steady_clock::now();
    return time < never - now ? now + time : never;
}

}  // namespace crossover

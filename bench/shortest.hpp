// The shortest of several times: what else runs on the machine can only lengthen them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace crossover::bench {

// Of `work`, in ns, which is done a few times, and again for as long as it is no burden to the gate.
template <class Work>
std::uint64_t shortest_ns(const Work& work) {
    using std::chrono::steady_clock;
    constexpr int least_times = 3, most_times = 10;
    constexpr std::chrono::milliseconds enough(5);
    const auto begin = steady_clock::now();
    auto shortest = steady_clock::duration::max();
    for (int i = 0; i < most_times && (i < least_times || steady_clock::now() - begin < enough); ++i) {
        const auto start = steady_clock::now();
        work();
        shortest = std::min(shortest, steady_clock::now() - start);
    }
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(shortest).count());
}

}  // namespace crossover::bench

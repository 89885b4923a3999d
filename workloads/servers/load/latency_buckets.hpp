// A histogram of latencies in logarithmic buckets: what can be stored, added up over rounds, and asked for
// percentiles.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace crossover {

// Trivially copyable, without pointers: may lie in the arena. One writer at a time.
class latency_buckets {
  public:
    // Values of 2^40 ns (18 minutes) and more count as that.
    static constexpr std::uint64_t largest_ns = (std::uint64_t{1} << 40) - 1;
    // A percentile is known only when so many samples lie beyond it.
    static constexpr std::uint64_t least_beyond = 10;

    void record(std::uint64_t ns) { add(ns, 1); }
    void add(std::uint64_t ns, std::uint64_t count) { counts_[index_of(ns)] += count; }

    std::uint64_t count() const {
        std::uint64_t sum = 0;
        for (std::uint64_t c : counts_) sum += c;
        return sum;
    }

    // The upper end of the bucket that holds the `quantile` (0.99: the 99th percentile), if enough samples
    // lie beyond.
    std::optional<std::uint64_t> percentile(double quantile) const {
        const std::uint64_t all = count();
        const auto below = static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(all)));
        if (all < below + least_beyond) return std::nullopt;
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < buckets; ++i)
            if (sum += counts_[i]; sum > below) return upper_of(i);
        return std::nullopt;
    }

    // The largest latency, as the upper end of its bucket; 0 if there is none.
    std::uint64_t most() const {
        for (std::size_t i = buckets; i-- > 0;)
            if (counts_[i] > 0) return upper_of(i);
        return 0;
    }

    // How many took longer than `ns`, to the width of a bucket.
    std::uint64_t beyond(std::uint64_t ns) const {
        std::uint64_t sum = 0;
        for (std::size_t i = index_of(ns) + 1; i < buckets; ++i) sum += counts_[i];
        return sum;
    }

    // The buckets that are not empty: their largest value in nanoseconds, and how many fell into them;
    // rising.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> filled() const {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
        for (std::size_t i = 0; i < buckets; ++i)
            if (counts_[i] > 0) all.emplace_back(upper_of(i), counts_[i]);
        return all;
    }

    void clear() { counts_.fill(0); }

  private:
    // 32 buckets for each power of two: none is wider than 3.1 % of its values.
    static constexpr int fine_bits = 5;
    static constexpr std::size_t fine = std::size_t{1} << fine_bits;
    static constexpr std::size_t buckets = (40 - fine_bits + 1) * fine;

    static constexpr std::size_t index_of(std::uint64_t ns) {
        ns = std::min(ns, largest_ns);
        if (ns < fine) return ns;
        const int shift = static_cast<int>(std::bit_width(ns)) - 1 - fine_bits;
        return static_cast<std::size_t>(shift + 1) * fine + ((ns >> shift) - fine);
    }
    static constexpr std::uint64_t upper_of(std::size_t index) {
        if (index < fine) return index;
        const std::size_t shift = index / fine - 1;
        return ((index % fine + fine + 1) << shift) - 1;
    }

    std::array<std::uint64_t, buckets> counts_{};
};

// Of the same requests. Intended: from when a request should have been sent; service: from when it was.
struct latencies {
    latency_buckets intended;
    latency_buckets service;
};

}  // namespace crossover

// skeleton: how long does it take to count the ones in the binary numbers of many ranges?
#pragma once

#include <bit>

#include "workloads/contract/workload.hpp"

namespace crossover {

// Item i counts the bits that are set in the numbers from i * n to (i + 1) * n - 1.
struct skeleton {
    static constexpr std::string_view name = "skeleton";
    static constexpr std::string_view question =
        "how long does it take to count the ones in the binary numbers of many ranges?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "ranges";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array<verb, 0> needs{};

    struct params {
        std::uint64_t tasks, n;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"n", &params::n, 1, 1'000'000}};
    static constexpr std::array sizes{size<params>{{8, 1'000}, exhaustive},
                                      size<params>{{16, 100'000}, quick},
                                      size<params>{{1'000, 10'000}, full}};

    struct output {
        std::uint64_t ones;
    };

    static std::size_t items(const params& p) { return p.tasks; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    static void item(const params& p, std::size_t i, output& out) {
        out.ones = 0;
        for (std::uint64_t v = i * p.n; v < (i + 1) * p.n; ++v)
            out.ones += static_cast<std::uint64_t>(std::popcount(v));
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const std::uint64_t expected = ones_below((i + 1) * p.n) - ones_below(i * p.n);
            if (outputs[i].ones != expected)
                return "range " + std::to_string(i) + " has " + std::to_string(outputs[i].ones) +
                       " ones, not " + std::to_string(expected);
        }
        return {};
    }

  private:
    // Bit by bit: bit b is set in the upper half of every 2^(b+1) numbers.
    static std::uint64_t ones_below(std::uint64_t end) {
        std::uint64_t ones = 0;
        for (std::uint64_t half = 1; half < end; half *= 2) {
            const std::uint64_t rest = end % (2 * half);
            ones += end / (2 * half) * half + (rest > half ? rest - half : 0);
        }
        return ones;
    }
};

}  // namespace crossover

// sum_squares: does plain CPU work speed up with cores, and what does handing it out cost?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/kernels.hpp"

namespace crossover {

// The tutorials' heavy_math: each item sums i² for i < n, mod 2⁶⁴.
struct sum_squares {
    static constexpr std::string_view name = "sum_squares";
    static constexpr std::string_view question =
        "does plain CPU work speed up with cores, and what does handing it out cost?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "sums";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array<verb, 0> needs{};

    struct params {
        std::uint64_t tasks, n;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"n", &params::n, 1, most_steps}};
    static constexpr std::array sizes{
        size<params>{{8, 1'000}, exhaustive},       size<params>{{16, 1'000'000}, quick},
        size<params>{{1'000, 10'000}, full},        size<params>{{16, 3'000'000}, full},
        size<params>{{16, 10'000'000}, exhaustive}, size<params>{{10'000, 1'000}, exhaustive}};

    struct output {
        std::uint64_t sum;
    };

    static std::size_t items(const params& p) { return p.tasks; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    static void item(const params& p, std::size_t, output& out) { out.sum = kernels::sum_of_squares(p.n); }

    static std::string verify(const params& p, std::span<const output> outputs) {
        std::uint64_t expected = by_formula(p.n);
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].sum != expected)
                return "sum " + std::to_string(i) + " is " + std::to_string(outputs[i].sum) + ", not " +
                       std::to_string(expected);
        return {};
    }

  private:
    // (n-1) n (2n-1) / 6, with the divisions done on the factors, so that only the last products wrap.
    static std::uint64_t by_formula(std::uint64_t n) {
        if (n == 0) return 0;
        std::uint64_t a = n - 1, b = n, c = 2 * n - 1;
        (a % 2 == 0 ? a : b) /= 2;
        (a % 3 == 0 ? a : b % 3 == 0 ? b : c) /= 3;
        return a * b * c;
    }
};

}  // namespace crossover

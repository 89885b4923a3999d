// matmul: does work that all cores read from the same memory speed up like work that stays in registers?
#pragma once

#include <vector>

#include "workloads/contract/workload.hpp"
#include "workloads/support/kernels.hpp"

namespace crossover {

// C = A × B, all n × n; an item is a row of C. The elements are small integers, so that nothing is rounded.
struct matmul {
    static constexpr std::string_view name = "matmul";
    static constexpr std::string_view question =
        "does work that all cores read from the same memory speed up like work that stays in registers?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "rows";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array<verb, 0> needs{};

    struct params {
        std::uint64_t n;
    };
    static constexpr std::array fields{field<params>{"n", &params::n, 1, 8'192}};
    static constexpr std::array sizes{size<params>{{16}, exhaustive}, size<params>{{192}, full},
                                      size<params>{{320}, full}, size<params>{{512}, exhaustive},
                                      size<params>{{1'024}, exhaustive}};

    struct prepared {
        prepared(const environment& around, const params& p)
            : a(around.memory.make_array<double>(p.n * p.n)),
              b(around.memory.make_array<double>(p.n * p.n)),
              c(around.memory.make_array<double>(p.n * p.n)) {
            for (std::size_t i = 0; i < p.n; ++i)
                for (std::size_t j = 0; j < p.n; ++j) {
                    a[i * p.n + j] = static_cast<double>(of_a(i, j));
                    b[i * p.n + j] = static_cast<double>(of_b(i, j));
                }
        }

        std::span<double> a, b, c;
    };

    static std::array<extent, 3> inputs(const params& p, const prepared& with) {
        return {read_by_all(&with), of_each(with.a.data(), p.n), read_by_all(with.b.data(), p.n * p.n)};
    }

    struct output {
        std::uint64_t weighted;  // the sum of (j + 1) times element j of the row
    };

    static std::size_t items(const params& p) { return p.n; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    static void item(const params& p, prepared& with, std::size_t i, output& out) {
        const std::span<double> row = with.c.subspan(i * p.n, p.n);
        kernels::row_times_matrix(with.a.subspan(i * p.n, p.n), with.b.data(), row);
        double sum = 0;
        for (std::size_t j = 0; j < p.n; ++j) sum += static_cast<double>(j + 1) * row[j];
        out.weighted = static_cast<std::uint64_t>(sum);
    }

    // Freivalds: C w = A (B w), in n² steps and in integers.
    static std::string verify(const params& p, std::span<const output> outputs) {
        std::vector<std::uint64_t> bw(p.n);
        for (std::size_t k = 0; k < p.n; ++k)
            for (std::size_t j = 0; j < p.n; ++j) bw[k] += of_b(k, j) * (j + 1);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            std::uint64_t expected = 0;
            for (std::size_t k = 0; k < p.n; ++k) expected += of_a(i, k) * bw[k];
            if (outputs[i].weighted != expected)
                return "row " + std::to_string(i) + " comes to " + std::to_string(outputs[i].weighted) +
                       ", not " + std::to_string(expected);
        }
        return {};
    }

  private:
    static constexpr std::uint64_t of_a(std::size_t i, std::size_t k) { return (3 * i + 5 * k) % 7 + 1; }
    static constexpr std::uint64_t of_b(std::size_t k, std::size_t j) { return (k * k + 2 * j) % 11; }
};

}  // namespace crossover

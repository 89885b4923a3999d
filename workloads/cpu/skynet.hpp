// skynet: what does it cost to fork wide, a million leaves from one root, and to gather them again?
#pragma once

#include "workloads/contract/workload.hpp"

namespace crossover {

// The field's skynet: every node has ten children down to the leaves, and a leaf gives its number.
struct skynet {
    static constexpr std::string_view name = "skynet";
    static constexpr std::string_view question =
        "what does it cost to fork wide, a million leaves from one root, and to gather them again?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "nodes";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array needs{verb::fork};

    struct params {
        std::uint64_t leaves;  // a power of ten
    };
    static constexpr std::array fields{field<params>{"leaves", &params::leaves, 1, 100'000'000}};
    static constexpr std::array sizes{size<params>{{100}, exhaustive}, size<params>{{10'000}, quick},
                                      size<params>{{1'000'000}, full}};

    static std::string wrong(const params& p) {
        std::uint64_t power = 1;
        while (power < p.leaves) power *= max_children;
        return power == p.leaves ? "" : "leaves is " + std::to_string(p.leaves) + ", no power of ten";
    }

    struct node {
        std::uint64_t first, leaves;
    };
    struct output {
        std::uint64_t sum;
    };
    static constexpr std::size_t max_children = 10;

    static node root(const params& p) { return {0, p.leaves}; }

    static std::size_t split(const params&, const node& n, std::span<node> children, output& leaf) {
        if (n.leaves == 1) {
            leaf.sum = n.first;
            return 0;
        }
        const std::uint64_t each = n.leaves / max_children;
        for (std::size_t i = 0; i < max_children; ++i) children[i] = {n.first + i * each, each};
        return max_children;
    }

    static output join(const params&, const node&, std::span<const output> parts) {
        std::uint64_t sum = 0;
        for (const output& part : parts) sum += part.sum;
        return {sum};
    }

    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    // 1 + 10 + 100 + ... + leaves: for a million 1,111,111.
    static std::uint64_t units(const params& p) { return (p.leaves * max_children - 1) / (max_children - 1); }

    // The numbers 0 to leaves - 1: for a million 499,999,500,000.
    static std::string verify(const params& p, std::span<const output> outputs) {
        const std::uint64_t expected = p.leaves * (p.leaves - 1) / 2;
        if (outputs[0].sum == expected) return {};
        return "the sum is " + std::to_string(outputs[0].sum) + ", not " + std::to_string(expected);
    }
};

}  // namespace crossover

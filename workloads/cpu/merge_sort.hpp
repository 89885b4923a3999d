// merge_sort: how far does a tree of tasks speed up when its joins do most of the work?
#pragma once

#include <vector>

#include "workloads/contract/workload.hpp"
#include "workloads/support/kernels.hpp"

namespace crossover {

// Parts of at most `leaf` elements are sorted; on the way up halves are merged, between two buffers in turn.
struct merge_sort {
    static constexpr std::string_view name = "merge_sort";
    static constexpr std::string_view question =
        "how far does a tree of tasks speed up when its joins do most of the work?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "parts";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores, and not less than the last merge";
    static constexpr std::array needs{verb::fork};

    struct params {
        std::uint64_t elements, leaf;
    };
    static constexpr std::array fields{field<params>{"elements", &params::elements, 1, 100'000'000},
                                       field<params>{"leaf", &params::leaf, 1, 100'000'000}};
    static constexpr std::array sizes{
        size<params>{{1'000, 100}, exhaustive}, size<params>{{100'000, 1'000}, quick},
        size<params>{{300'000, 3'000}, full}, size<params>{{1'000'000, 10'000}, exhaustive},
        size<params>{{1'000'000, 100}, exhaustive}};

    struct prepared {
        prepared(const environment& around, const params& p)
            : source(around.memory.make_array<std::uint64_t>(p.elements)),
              sorted(around.memory.make_array<std::uint64_t>(p.elements)),
              scratch(around.memory.make_array<std::uint64_t>(p.elements)) {
            for (std::uint64_t i = 0; i < p.elements; ++i) source[i] = element(p, i);
        }

        std::span<std::uint64_t> source, sorted, scratch;
    };

    struct node {
        std::span<const std::uint64_t> source;
        std::span<std::uint64_t> to, other;  // where this part goes, and where its halves go
    };
    struct output {
        std::uint64_t weighted;  // of the whole: the sum of (k + 1) times element k; of a part: 0
    };
    static constexpr std::size_t max_children = 2;

    static node root(const params&, prepared& with) { return {with.source, with.sorted, with.scratch}; }

    static std::size_t split(const params& p, const node& part, std::span<node> children, output& leaf) {
        const std::size_t half = part.source.size() / 2;
        if (part.source.size() <= p.leaf) {
            kernels::sort_into(part.source, part.to);
            leaf = digest(p, part);
            return 0;
        }
        children[0] = {part.source.first(half), part.other.first(half), part.to.first(half)};
        children[1] = {part.source.subspan(half), part.other.subspan(half), part.to.subspan(half)};
        return 2;
    }

    static output join(const params& p, const node& part, std::span<const output>) {
        const std::size_t half = part.source.size() / 2;
        kernels::merge_into(part.other.first(half), part.other.subspan(half), part.to);
        return digest(p, part);
    }

    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    static std::uint64_t units(const params& p) { return parts(p.elements, p.leaf); }

    // By counting, without a comparison: every element is less than their number.
    static std::string verify(const params& p, std::span<const output> outputs) {
        std::vector<std::uint64_t> count(p.elements);
        for (std::uint64_t i = 0; i < p.elements; ++i) ++count[element(p, i)];
        std::uint64_t expected = 0, position = 0;
        for (std::uint64_t value = 0; value < p.elements; ++value)
            for (; count[value] > 0; --count[value]) expected += ++position * value;
        if (outputs[0].weighted == expected) return {};
        return "the elements are not in order, or not those that were given";
    }

  private:
    static constexpr std::uint64_t element(const params& p, std::uint64_t i) {
        return ((i + 1) * 0x9e3779b97f4a7c15 >> 20) % p.elements;
    }

    static output digest(const params& p, const node& part) {
        std::uint64_t sum = 0;
        if (part.to.size() == p.elements)
            for (std::size_t k = 0; k < part.to.size(); ++k) sum += (k + 1) * part.to[k];
        return {sum};
    }

    static std::uint64_t parts(std::uint64_t size, std::uint64_t leaf) {
        return size <= leaf ? 1 : 1 + parts(size / 2, leaf) + parts(size - size / 2, leaf);
    }
};

}  // namespace crossover

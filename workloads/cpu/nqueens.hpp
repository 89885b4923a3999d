// nqueens: how do models share out a tree whose branches end early and unevenly?
#pragma once

#include "workloads/contract/workload.hpp"

namespace crossover {

// A node is a placement of queens in the first rows, its children those of one queen more: a task for each,
// no cut-off.
struct nqueens {
    static constexpr std::string_view name = "nqueens";
    static constexpr std::string_view question =
        "how do models share out a tree whose branches end early and unevenly?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "placements";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array needs{verb::fork};

    struct params {
        std::uint64_t n;
    };
    static constexpr std::array fields{field<params>{"n", &params::n, 1, 13}};
    static constexpr std::array sizes{size<params>{{6}, exhaustive},  size<params>{{8}, full},
                                      size<params>{{10}, exhaustive}, size<params>{{11}, full},
                                      size<params>{{12}, exhaustive}, size<params>{{13}, exhaustive}};

    // Of the next row: the squares that the queens above take, straight and along the two diagonals.
    struct node {
        std::uint32_t row, straight, falling, rising;
    };
    struct output {
        std::uint64_t solutions;
    };
    static constexpr std::size_t max_children = 16;

    static node root(const params&) { return {0, 0, 0, 0}; }

    static std::size_t split(const params& p, const node& at, std::span<node> children, output& leaf) {
        leaf.solutions = at.row == p.n ? 1 : 0;
        if (at.row == p.n) return 0;
        std::size_t count = 0;
        const std::uint32_t all = (std::uint32_t{1} << p.n) - 1;
        for (std::uint32_t free = all & ~(at.straight | at.falling | at.rising); free != 0;
             free &= free - 1) {
            const std::uint32_t queen = free & (~free + 1);
            children[count++] = {at.row + 1, at.straight | queen, (at.falling | queen) >> 1,
                                 (at.rising | queen) << 1};
        }
        return count;
    }

    static output join(const params&, const node&, std::span<const output> parts) {
        std::uint64_t sum = 0;
        for (const output& part : parts) sum += part.solutions;
        return {sum};
    }

    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    static std::uint64_t units(const params& p) { return known(p).placements; }

    static std::string verify(const params& p, std::span<const output> outputs) {
        if (outputs[0].solutions == known(p).solutions) return {};
        return std::to_string(outputs[0].solutions) + " solutions, not " + std::to_string(known(p).solutions);
    }

  private:
    struct answer {
        std::uint64_t placements, solutions;
    };

    // Solutions as in the literature; placements counted by a program that compares queens pair by pair.
    static answer known(const params& p) {
        constexpr std::array<answer, 14> answers{{{1, 1},
                                                  {2, 1},
                                                  {3, 0},
                                                  {6, 0},
                                                  {17, 2},
                                                  {54, 10},
                                                  {153, 4},
                                                  {552, 40},
                                                  {2'057, 92},
                                                  {8'394, 352},
                                                  {35'539, 724},
                                                  {166'926, 2'680},
                                                  {856'189, 14'200},
                                                  {4'674'890, 73'712}}};
        return answers.at(p.n);
    }
};

}  // namespace crossover

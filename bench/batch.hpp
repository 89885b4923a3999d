// What the jobs of one cell see: the params, what was prepared, and where the outputs go. Lies in the arena.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>

#include "bench/account.hpp"
#include "workloads/workload.hpp"

namespace crossover::bench {

// What each of a pass's items adds to its slot: 1 in the lower half, and in the upper one a number of this
// pass alone, so that an item which one pass left out and another ran twice does not come to the right sum.
constexpr std::uint64_t mark_of_pass(std::uint64_t number) {
    std::uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 32)) * 0xbf58476d1ce4e5b9;
    return (mixed << 32) | 1;
}
constexpr std::uint64_t runs_in(std::uint64_t marks) { return marks & 0xffff'ffff; }

// An item's output and the marks of the passes in which its job was called. Written by the item's worker
// alone.
template <class Output>
struct slot {
    Output value;
    std::uint64_t marks;
};

template <class W>
struct batch_of {
    typename W::params params;
    typename prepared_of<W>::type* prepared;
    void*
        shared;  // of a waiting workload: what it builds before each run, of a type that the context decides
    slot<typename W::output>* slots;
    std::uint64_t mark;  // of this pass
    ledger* book;        // of the gate pass
};

// The children of one node: what they are, and what they came to. Beside each value stands how many nodes are
// under it: the units that were really run.
template <class W>
struct level {
    const typename W::params* params;
    const typename W::node* nodes;
    typename W::output* values;
    std::uint64_t* units;
    ledger* book;  // null in timed passes

    void leaf(std::size_t i) const {
        units[i] = 1;
        note_end();
    }

    // Node i has `count` children, which are done.
    void join(std::size_t i, const level& below, std::size_t count) const {
        values[i] = W::join(*params, nodes[i], std::span<const typename W::output>(below.values, count));
        units[i] = std::accumulate(below.units, below.units + count, std::uint64_t{1});
        note_end();
    }

  private:
    void note_end() const {
        if (book) [[unlikely]]
            book->count();
    }
};

}  // namespace crossover::bench

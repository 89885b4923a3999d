// What the jobs of one cell see: the params, what was prepared, and where the outputs go. Lies in the arena.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>

#include "bench/account.hpp"
#include "workloads/workload.hpp"

namespace crossover::bench {

// An item's output and how often its job was called. Written by the item's worker alone.
template <class Output>
struct slot {
    Output value;
    std::uint64_t runs;
};

template <class W>
struct batch_of {
    typename W::params params;
    typename prepared_of<W>::type* prepared;
    void*
        shared;  // of a waiting workload: what it builds before each run, of a type that the context decides
    slot<typename W::output>* slots;
    ledger* book;  // of the gate pass
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

    void leaf(std::size_t i) const { units[i] = 1; }

    // Node i has `count` children, which are done.
    void join(std::size_t i, const level& below, std::size_t count) const {
        values[i] = W::join(*params, nodes[i], std::span<const typename W::output>(below.values, count));
        units[i] = std::accumulate(below.units, below.units + count, std::uint64_t{1});
    }
};

}  // namespace crossover::bench

// Makes the cells of a workload: all that is compiled once for it, whatever the runtime.
#pragma once

#include "bench/cell/cell_of.hpp"

namespace crossover::bench {

template <class W>
void make_cells(cell_list& all, const model_facts& on, void* runtime, passes run) {
    for (const auto& s : W::sizes) all.push_back(std::make_unique<cell_of<W>>(on, runtime, run, s));
}

}  // namespace crossover::bench

// Compiles the cells of all workloads, for every runtime.
#include "bench/all_cells.hpp"

#include "bench/cell_of.hpp"

namespace crossover::bench {

std::span<const cell_maker, all_workloads::size> makers_of_all_workloads() {
    static constexpr auto all = makers_of(all_workloads{});
    return all;
}

}  // namespace crossover::bench

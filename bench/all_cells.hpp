// The cells of all workloads. What does not depend on the runtime is compiled once, in all_cells.cpp.
#pragma once

#include <span>

#include "bench/passes.hpp"
#include "workloads/all.hpp"

namespace crossover::bench {

// In the order of all_workloads.
std::span<const cell_maker, all_workloads::size> makers_of_all_workloads();

}  // namespace crossover::bench

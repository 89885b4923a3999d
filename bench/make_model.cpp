// Brings all workloads onto one runtime: the only source that is compiled for each of them.
#include RUNTIME_HEADER

#include "bench/all_cells.hpp"
#include "bench/model_of.hpp"

std::unique_ptr<crossover::bench::model> crossover::bench::make_model(std::size_t cores,
                                                                      std::size_t workers) {
    return std::make_unique<model_of<RUNTIME>>(cores, workers, all_workloads{}, makers_of_all_workloads());
}

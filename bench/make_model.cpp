// Brings all workloads onto one runtime: the only source that is compiled for each of them.
#include RUNTIME_HEADER

#include "bench/model_of.hpp"
#include "workloads/all.hpp"

std::unique_ptr<crossover::bench::model> crossover::bench::make_model(std::size_t cores) {
    return std::make_unique<model_of<RUNTIME, all_workloads>>(cores);
}

// The model of one runtime, compiled for each; it knows the workloads by name only.
#include RUNTIME_HEADER

#include "bench/cell/model_of.hpp"
#include "workloads/names.hpp"

std::unique_ptr<crossover::bench::model> crossover::bench::make_model(std::size_t cores,
                                                                      std::size_t workers) {
    return std::make_unique<model_of<RUNTIME>>(cores, workers, all_workloads{});
}

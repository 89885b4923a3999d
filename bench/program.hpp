// The main function of every bench, compiled once: the heavy headers are in here.
#pragma once

#include <cstddef>
#include <memory>

#include "bench/cell/cell.hpp"

namespace crossover::bench {

// `make` builds the model for so many cores; it is called before the process has a second thread.
// Returns the exit code.
int program(int argc, char** argv, std::unique_ptr<model> (*make)(std::size_t cores));

}  // namespace crossover::bench

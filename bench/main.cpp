// The benchmark of whichever model is linked, with as many workers as the build says.
#include "bench/cell/cell.hpp"
#include "bench/program.hpp"

#ifndef POOL_WORKERS
#define POOL_WORKERS 0  // the model's own choice
#endif

int main(int argc, char** argv) {
    return crossover::bench::program(
        argc, argv, [](std::size_t cores) { return crossover::bench::make_model(cores, POOL_WORKERS); });
}

// The benchmark of whichever model is linked.
#include "bench/model.hpp"
#include "bench/program.hpp"

int main(int argc, char** argv) {
    return crossover::bench::program(argc, argv, &crossover::bench::make_model);
}

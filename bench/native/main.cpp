// The benchmark of one model's twins, under the same meters as the suite's cells.
#include "bench/native/native_model.hpp"
#include "bench/program.hpp"

int main(int argc, char** argv) {
    return crossover::bench::program(argc, argv, [](std::size_t cores) {
        return crossover::bench::native::make_native_model(TWIN_OF, cores);
    });
}

// bench_native: the twins under the same meters as the suite's cells. --of MODEL keeps those of one model.
#include <string_view>

#include "bench/native/native_model.hpp"
#include "bench/program.hpp"

namespace {

std::string_view of;  // program() takes a plain function, which can carry nothing with it

std::unique_ptr<crossover::bench::model> make(std::size_t cores) {
    return crossover::bench::native::make_native_model(of, cores);
}

}  // namespace

int main(int argc, char** argv) {
    constexpr std::string_view flag = "--of=";
    int kept = 1;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view argument = argv[i]; argument.starts_with(flag))
            of = argument.substr(flag.size());
        else
            argv[kept++] = argv[i];
    }
    return crossover::bench::program(kept, argv, &make);
}

// Reports what CMake and the compiler define.
#include "bench/serve/build.hpp"

namespace crossover::bench {

std::vector<std::pair<std::string, std::string>> build_facts() {
    std::vector<std::pair<std::string, std::string>> facts{
#ifdef __clang__
        {"compiler", "clang++ " __clang_version__},
#else
        {"compiler", "g++ " __VERSION__},
#endif
        {"std", __cplusplus >= 202302L ? "C++23" : "C++20"},
        {"flags", CROSSOVER_FLAGS},
        // Ours: what Google Benchmark calls library_build_type is about its own code.
        {"build_type", CROSSOVER_BUILD_TYPE},
        {"sanitizers", CROSSOVER_SANITIZERS},
        {"benchmark", CROSSOVER_BENCHMARK_VERSION},
        {"boost", CROSSOVER_BOOST_VERSION},
        {"tbb", CROSSOVER_TBB_VERSION},
        {"liburing", CROSSOVER_LIBURING_VERSION},
        {"nlohmann_json", CROSSOVER_NLOHMANN_VERSION},
    };
    std::erase_if(facts, [](const auto& fact) { return fact.second.empty(); });
    return facts;
}

}  // namespace crossover::bench

// How this binary was built: compiler, flags, libraries.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace crossover::bench {

// Names and values, as in the hello line and in the context of Google Benchmark's JSON.
std::vector<std::pair<std::string, std::string>> build_facts();

}  // namespace crossover::bench

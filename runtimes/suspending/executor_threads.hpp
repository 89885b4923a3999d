// The number of threads in a model's executor, the same for all models with one.
#pragma once

#include <algorithm>
#include <cstddef>

namespace crossover {

// As asyncio's default executor, for the cores that the model may use. Its calls may block, so they are more
// than cores.
constexpr std::size_t executor_threads(std::size_t cores) { return std::min<std::size_t>(cores + 4, 32); }

}  // namespace crossover

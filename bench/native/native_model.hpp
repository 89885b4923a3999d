// The registered twins of one model as a model of their own, for the same two modes that every bench has.
#pragma once

#include <memory>
#include <string_view>

#include "bench/cell/cell.hpp"

namespace crossover::bench::native {

// native_MODEL, with all twins of `of` that are linked.
std::unique_ptr<model> make_native_model(std::string_view of, std::size_t cores);

}  // namespace crossover::bench::native

// The registered twins as a model, for the same two modes that every bench has.
#pragma once

#include <memory>
#include <string_view>

#include "bench/model.hpp"

namespace crossover::bench::native {

// The twins of the model `of`, or all twins if it is empty. Throws bad_command_line if there are none.
std::unique_ptr<model> make_native_model(std::string_view of, std::size_t cores);

}  // namespace crossover::bench::native

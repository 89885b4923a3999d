// What every model made of processes says of itself.
#pragma once

#include <string_view>

#include "runtimes/runtime.hpp"

namespace crossover::processes {

class of_the_family {
  public:
    static constexpr std::string_view family = "processes";
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload
                   ? "has no thread but the one that runs the item: what blocks it holds up no other item"
                   : "";
    }
};

}  // namespace crossover::processes

// The family and reasons that all process models share.
#pragma once

#include <string_view>

#include "runtimes/contract/runtime.hpp"

namespace crossover::processes {

class of_the_family {
  public:
    static constexpr std::string_view family = "processes";
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        return v == verb::offload
                   ? "has no thread but the one that runs the item: what blocks it holds up no other item"
                   : "";
    }
};

}  // namespace crossover::processes

// Errors of the suite's servers, the origin and the load generator.
#pragma once

#include <stdexcept>

namespace crossover {

// It cannot be started, reached or understood. The text is one line with the remedy.
class origin_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace crossover

// The HTTP server of the cells that need one: attached or started when the first of them comes.
#pragma once

#include <optional>

#include "bench/origin/origin_process.hpp"

namespace crossover::bench {

class lazy_origin {
  public:
    // Uses the server at `given`, or starts one of its own if there is none.
    explicit lazy_origin(std::optional<endpoint> given) : given_(given) {}

    // Throws origin_error or refused.
    origin_process& get() {
        if (!process_) process_.emplace(given_ ? origin_process::attach(*given_) : origin_process::start());
        return *process_;
    }

  private:
    std::optional<endpoint> given_;
    std::optional<origin_process> process_;
};

}  // namespace crossover::bench

// The load generator of the cells that need one: named on the command line, or started when the first of them
// comes.
#pragma once

#include <optional>

#include "bench/load/load_session.hpp"
#include "bench/server_process.hpp"

namespace crossover::bench {

class lazy_load {
  public:
    // Uses the generator at `given`, or starts one of its own if there is none.
    explicit lazy_load(std::optional<endpoint> given) : address_(given) {}

    // Throws origin_error or refused.
    endpoint address() {
        if (!address_) {
            own_.emplace("load", server_process::beside("load", CROSSOVER_LOAD));
            address_ = own_->address();
        }
        return *address_;
    }

    // User and system CPU time of the generator since its start, in nanoseconds.
    std::uint64_t cpu_ns() {
        if (own_)
            if (const auto used = own_->cpu_ns()) return *used;
        if (!asks_) asks_.emplace(address());
        return asks_->cpu_ns();
    }

  private:
    std::optional<endpoint> address_;
    std::optional<server_process> own_;
    std::optional<load_control> asks_;
};

}  // namespace crossover::bench

// The origin and the load generator of the cells that need one: named on the command line, or started when
// the first of them comes.
#pragma once

#include <optional>

#include "workloads/servers/load/load_session.hpp"
#include "workloads/servers/origin/origin_process.hpp"
#include "workloads/servers/server_process.hpp"

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

// What the origin's connections share: the counts and the bodies. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/servers/origin/body_store.hpp"

namespace crossover {

struct origin_counts {
    std::uint64_t requests = 0;        // for items, since the start
    std::uint64_t connections = 0;     // open now, the one that asks for the counts included
    std::uint64_t in_flight = 0;       // items asked for and neither answered nor given up by the client
    std::uint64_t peak_in_flight = 0;  // since the start or the last /stats/reset
};

class origin_state {
  public:
    origin_counts counts;
    body_store bodies;

    // The counts and the process's CPU time, in nanoseconds, as JSON.
    std::string stats() const;
};

}  // namespace crossover

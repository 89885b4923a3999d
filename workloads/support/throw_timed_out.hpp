// What passed a deadline that it keeps on a machine with time to spare.
#pragma once

#include <cstdint>
#include <string>

#include "runtimes/system/errors.hpp"

namespace crossover {

// For verifiers: work of `takes_us` was cut off at a deadline of `deadline_us`, and nothing else is wrong.
// The sample is no measurement, but the model is not shown to be wrong either.
[[noreturn]] inline void throw_timed_out(const std::string& what, std::uint64_t takes_us,
                                         std::uint64_t deadline_us) {
    throw timed_out(what + " of " + std::to_string(takes_us) + " µs passed the deadline of " +
                    std::to_string(deadline_us) +
                    " µs: the machine is too loaded for it, or the model too slow");
}

}  // namespace crossover

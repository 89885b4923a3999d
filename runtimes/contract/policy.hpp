// The rules of one batch: how many items may be alive, what stops it, and until when it may run.
#pragma once

#include <cstddef>

#include "runtimes/system/bounds.hpp"

namespace crossover {

enum class until {
    all_done,      // every item runs to its end; then the first error, if any, comes out
    first_error,   // the first error cancels what still runs, and comes out
    first_result,  // the first item that ends well cancels what still runs; an error comes out only if none
                   // ended well
};

struct policy {
    // A constructor, because GCC 12 miscompiles braced members inside a co_await statement.
    constexpr explicit policy(std::size_t most_in_flight = unlimited, until stop_rule = until::all_done,
                              time_point latest = never)
        : in_flight(most_in_flight), stop(stop_rule), deadline(latest) {}

    std::size_t in_flight;  // items alive at once: at least 1
    until stop;
    time_point deadline;  // passing it cancels what still runs, and run() throws timed_out

    // Nothing but an outer batch can stop such a batch, so it needs no stop state of its own.
    constexpr bool cannot_stop() const { return stop == until::all_done && deadline == never; }
};

}  // namespace crossover

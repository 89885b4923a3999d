// CPU time, switches and faults of this process: all its threads, living and dead, but no children.
#pragma once

#include "runtimes/runtime.hpp"

namespace crossover::bench {

// Since the process started. About 1 µs.
usage own_usage();
// Of the children that have been waited for, and theirs.
usage ended_children_usage();

usage operator+(const usage& a, const usage& b);
// Both of the same processes, `later` read after `earlier`.
usage operator-(const usage& later, const usage& earlier);

}  // namespace crossover::bench

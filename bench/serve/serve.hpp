// The mode in which a driver asks for one check pass or sample at a time.
#pragma once

#include "bench/cell/cell.hpp"
#include "bench/meters/sampler.hpp"

namespace crossover::bench {

// Answers requests on standard input until "quit", its end, or until nobody reads the answers. Returns the
// exit code. Between requests it blocks in a read.
int serve(model& m, sampler& samples);

}  // namespace crossover::bench

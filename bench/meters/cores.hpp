// How many cores a bench may use that is not told with --cores: counted as driver/machine/cores.py does for a
// run.
#pragma once

#include <cstddef>

namespace crossover::bench {

// The affinity mask and the cgroup's CPU quota, whichever allows less; at least 1.
std::size_t cores_allowed();

// Restricts this process, and all that it starts later, to `cores` CPUs of its affinity mask, so that a wide
// pool gets no more of the machine than a narrow one. Does nothing if the mask has no more than that.
void keep_to(std::size_t cores);

}  // namespace crossover::bench

// How many cores a bench may use that is not told with --cores: counted as driver/cores.py does for a run.
#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>

namespace crossover::bench {

inline constexpr std::size_t no_quota = std::numeric_limits<std::size_t>::max();

// The affinity mask and the cgroup's CPU quota, whichever allows less; at least 1.
std::size_t cores_allowed();

// The CPU quota of the cgroup of this process and those around it (version 1 and 2), in whole cores, rounded
// up. The folders are those of the system but for tests.
std::size_t cores_of_quota(const std::filesystem::path& proc = "/proc/self",
                           const std::filesystem::path& cgroups = "/sys/fs/cgroup");

// Restricts this process, and all that it starts later, to `cores` CPUs of its affinity mask, so that a wide
// pool gets no more of the machine than a narrow one. Does nothing if the mask has no more than that.
void keep_to(std::size_t cores);

}  // namespace crossover::bench

// sched_getaffinity, and the quotas of cgroups.
#include "bench/meters/cores.hpp"

#include <sched.h>

#include <algorithm>

#include "runtimes/system/limits/cgroup.hpp"

namespace crossover::bench {

std::size_t cores_allowed() {
    cpu_set_t mask;
    std::size_t here = 1;
    if (::sched_getaffinity(0, sizeof mask, &mask) == 0) here = static_cast<std::size_t>(CPU_COUNT(&mask));
    return std::max<std::size_t>(1, std::min(here, cores_of_quota()));
}

void keep_to(std::size_t cores) {
    cpu_set_t mask;
    if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return;
    if (static_cast<std::size_t>(CPU_COUNT(&mask)) <= cores) return;
    for (int cpu = CPU_SETSIZE - 1; static_cast<std::size_t>(CPU_COUNT(&mask)) > cores; --cpu)
        CPU_CLR(static_cast<std::size_t>(cpu), &mask);
    ::sched_setaffinity(0, sizeof mask, &mask);
}

}  // namespace crossover::bench

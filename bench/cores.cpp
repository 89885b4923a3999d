// sched_getaffinity, and the quota files of cgroups.
#include "bench/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>

#include "runtimes/cgroup.hpp"

namespace crossover::bench {

namespace {

namespace fs = std::filesystem;

// 0 for "max", -1 and whatever else is no number.
std::uint64_t microseconds(const std::string& word) {
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc{} && end == word.data() + word.size() ? number : 0;
}

std::size_t quota_in(const fs::path& folder) {
    std::string quota, period;
    if (!(std::ifstream(folder / "cpu.max") >> quota >> period)) {
        std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
        std::ifstream(folder / "cpu.cfs_period_us") >> period;
    }
    const std::uint64_t quota_us = microseconds(quota), period_us = microseconds(period);
    if (quota_us == 0 || period_us == 0) return no_quota;
    return quota_us / period_us + (quota_us % period_us == 0 ? 0 : 1);
}

}  // namespace

std::size_t cores_of_quota(const fs::path& proc, const fs::path& cgroups) {
    std::size_t least = no_quota;
    for (const fs::path& folder : folders_of_cgroups("cpu", proc, cgroups))
        least = std::min(least, quota_in(folder));
    return least;
}

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

// What the cgroup of this process and those around it allow, in both versions of cgroups.
#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "runtimes/policy.hpp"

namespace crossover {

// The folders in which the limits of a controller may stand. `proc` and `cgroups` are those of the system but
// for tests.
std::vector<std::filesystem::path> folders_of_cgroups(
    std::string_view controller, const std::filesystem::path& proc = "/proc/self",
    const std::filesystem::path& cgroups = "/sys/fs/cgroup");

// The least number in the files of one of those names, which differ between the versions; `unlimited` if
// there is none.
std::size_t least_in_cgroups(std::string_view controller, std::initializer_list<const char*> files,
                             const std::filesystem::path& proc = "/proc/self",
                             const std::filesystem::path& cgroups = "/sys/fs/cgroup");

}  // namespace crossover

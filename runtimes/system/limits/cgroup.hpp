// The limits of this process's cgroup and all its ancestors, in both versions of cgroups.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "runtimes/system/bounds.hpp"

namespace crossover {

// `root` is "/" but for tests: /proc/self and the mount points are looked for below it.

// The folders of a controller in which limits may stand: the own group's, then those around it as far as they
// are mounted. Some may not exist.
std::vector<std::filesystem::path> folders_of_cgroups(std::string_view controller,
                                                      const std::filesystem::path& root = "/");

struct cgroup_limit {
    std::filesystem::path file;  // where it stands
    std::size_t limit;
    std::size_t used;  // by all of that group
};

// In bytes; the pages of files, which the kernel can drop, are not counted as used.
std::vector<cgroup_limit> memory_limits_of_cgroups(const std::filesystem::path& root = "/");

// Threads and processes.
std::vector<cgroup_limit> task_limits_of_cgroups(const std::filesystem::path& root = "/");

// The tightest CPU quota in whole cores, rounded up; `unlimited` if there is none.
std::size_t cores_of_quota(const std::filesystem::path& root = "/");

}  // namespace crossover

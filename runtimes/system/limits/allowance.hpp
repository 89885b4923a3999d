// What the system's limits allow this process: memory, address space, mappings, threads and processes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace crossover {

// One limit. A limit that is not there is not listed.
struct allowance {
    std::string name;  // as its reader knows it: a file, or the ulimit that sets it
    std::size_t limit;
    std::size_t used;

    // Half of it, because others live here, too; less where more than half is in use.
    std::size_t spare() const;
};

// `root` is "/" but for tests.
std::vector<allowance> memory_allowances(const std::filesystem::path& root = "/");
std::vector<allowance> address_space_allowances();
std::vector<allowance> mapping_allowances(const std::filesystem::path& root = "/");
// Threads and processes, which the kernel counts alike.
std::vector<allowance> task_allowances(const std::filesystem::path& root = "/");

}  // namespace crossover
